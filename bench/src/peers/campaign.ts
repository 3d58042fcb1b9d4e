/** The pool that both sides draw from: six items whose stock no load exhausts, and which is minded all the same. */
export const campaign = {
  pool: 'summer',
  /** Weights add up to 1,000. */
  items: [
    { id: 'sticker', weight: 600 },
    { id: 'badge', weight: 240 },
    { id: 'mug', weight: 100 },
    { id: 'shirt', weight: 40 },
    { id: 'lamp', weight: 15 },
    { id: 'bicycle', weight: 5 },
  ],
  stock: 1_000_000_000_000,
} as const
