import { createPrivateKey, type KeyObject, X509Certificate } from 'node:crypto'
import { readFile, stat } from 'node:fs/promises'
import { resolve } from 'node:path'
import { createSecureContext } from 'node:tls'
import { systemReason } from '../failure.ts'
import { serverLimits } from '../limits.ts'
import type { Fault } from '../schema/faults.ts'
import type { ConfigurationDocument } from './schema.ts'

/** A certificate chain and its private key, both PEM, as the doors take them. */
export interface TlsFiles {
  readonly cert: Buffer
  readonly key: Buffer
}

/**
 * Reads the certificate and the key, and sees that they are a pair that TLS can be served with, so that a mistake in
 * them is told at the start and by the name of its file.
 */
export async function readTlsFiles(
  tls: NonNullable<ConfigurationDocument['tls']>,
  dir: string,
): Promise<TlsFiles | Fault[]> {
  const files = { certificate: resolve(dir, tls.certificate), key: resolve(dir, tls.key) }
  const faults: Fault[] = []
  const attempt = async <Result>(field: 'certificate' | 'key', action: () => Result | Promise<Result>) => {
    try {
      return await action()
    } catch (error) {
      faults.push({ path: ['tls', field], onKey: false, message: `${files[field]}: ${systemReason(error)}` })
      return undefined
    }
  }
  const cert = await attempt('certificate', () => readPem(files.certificate))
  const key = await attempt('key', () => readPem(files.key))
  const certificate = cert && (await attempt('certificate', () => parseCertificate(cert)))
  const privateKey = key && (await attempt('key', () => parseKey(key)))
  if (cert && key && certificate && privateKey) {
    await attempt('key', () => checkPair(certificate, privateKey, files.certificate))
    if (faults.length === 0) await attempt('certificate', () => void createSecureContext({ cert, key }))
    if (faults.length === 0) return { cert, key }
  }
  return faults
}

async function readPem(file: string): Promise<Buffer> {
  const { size } = await stat(file)
  if (size > serverLimits.pemBytes) throw new Error(`has ${size} bytes, at most ${serverLimits.pemBytes}`)
  return readFile(file)
}

function parseCertificate(pem: Buffer): X509Certificate {
  try {
    return new X509Certificate(pem)
  } catch (error) {
    throw new Error(`is not a certificate in PEM: ${(error as Error).message}`)
  }
}

function parseKey(pem: Buffer): KeyObject {
  try {
    return createPrivateKey(pem)
  } catch (error) {
    throw new Error(`is not a private key in PEM, without a passphrase: ${(error as Error).message}`)
  }
}

function checkPair(certificate: X509Certificate, key: KeyObject, file: string): void {
  if (!certificate.checkPrivateKey(key)) throw new Error(`is not the key of the certificate in ${file}`)
}
