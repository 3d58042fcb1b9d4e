/** What `kuji serve` runs without a file: a small campaign to try things on. */
export const sampleConfiguration = `data: ./data
durability: sync
http: { listen: 127.0.0.1:7070 }
resp: { listen: 127.0.0.1:7071 }
grpc: { listen: 127.0.0.1:7072 }
pools:
  - id: summer
    items:
      - { id: diamond, weight: 10, stock: 100 }
      - { id: mud, weight: 90, stock: unlimited }
`
