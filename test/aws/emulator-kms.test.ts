// The emulated KMS through the real client: what it wraps opens only under its context, what it signs verifies, and key policy and
// session tag decide together who may open what.
import { createHash, createPrivateKey, createPublicKey, verify } from 'node:crypto'
import {
  CreateKeyCommand,
  DecryptCommand,
  DescribeKeyCommand,
  EncryptCommand,
  GenerateDataKeyPairWithoutPlaintextCommand,
  GetPublicKeyCommand,
  KMSClient,
  SignCommand,
} from '@aws-sdk/client-kms'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { type Aws, startAws } from '../support/aws/emulator.ts'
import { DATA_ROLE, POOL_KEY, SILO_KEY, sampleCloud } from '../support/aws/sample-cloud.ts'

let aws: Aws
let acme: KMSClient
let globex: KMSClient
let root: KMSClient

const ofTenant = (tenant: string) =>
  new KMSClient(aws.client(aws.credentialsForRole(DATA_ROLE, { tags: { 'mintmark-tenant': tenant } })))

beforeAll(async () => {
  aws = await startAws({ cloud: sampleCloud })
  acme = ofTenant('acme')
  globex = ofTenant('globex')
  root = new KMSClient(aws.client(aws.rootCredentials))
})
afterAll(() => aws.stop())

const contextOf = (tenant: string) => ({ tenant, use: 'token', alg: 'ES256' })
const makePair = (client: KMSClient, tenant: string) =>
  client.send(
    new GenerateDataKeyPairWithoutPlaintextCommand({
      KeyId: POOL_KEY,
      KeyPairSpec: 'ECC_NIST_P256',
      EncryptionContext: contextOf(tenant),
    }),
  )

describe('a wrapped key pair', () => {
  test('opens to the private half of the public key it came with, whatever the order of the context', async () => {
    const { PublicKey, PrivateKeyCiphertextBlob } = await makePair(acme, 'acme')
    const { Plaintext, KeyId } = await acme.send(
      new DecryptCommand({
        CiphertextBlob: PrivateKeyCiphertextBlob,
        EncryptionContext: { alg: 'ES256', use: 'token', tenant: 'acme' },
      }),
    )
    expect(KeyId).toBe(POOL_KEY)
    const key = createPrivateKey({ key: Buffer.from(Plaintext!), format: 'der', type: 'pkcs8' })
    expect(createPublicKey(key).export({ type: 'spki', format: 'der' })).toEqual(Buffer.from(PublicKey!))
  })

  test.each([
    ['another value', { ...contextOf('acme'), alg: 'RS256' }],
    ['a pair missing', { tenant: 'acme', use: 'token' }],
    ['a pair more', { ...contextOf('acme'), more: 'x' }],
    ['another tenant', contextOf('globex')],
  ])('does not open under a context with %s, even where no policy stands in the way', async (_, EncryptionContext) => {
    const { PrivateKeyCiphertextBlob: CiphertextBlob } = await makePair(acme, 'acme')
    await expect(root.send(new DecryptCommand({ CiphertextBlob, EncryptionContext }))).rejects.toMatchObject({
      name: 'InvalidCiphertextException',
    })
  })

  test('does not open with one bit changed', async () => {
    const { PrivateKeyCiphertextBlob } = await makePair(acme, 'acme')
    const CiphertextBlob = Buffer.from(PrivateKeyCiphertextBlob!)
    CiphertextBlob[CiphertextBlob.length - 1]! ^= 1
    const command = new DecryptCommand({ CiphertextBlob, EncryptionContext: contextOf('acme') })
    await expect(acme.send(command)).rejects.toMatchObject({ name: 'InvalidCiphertextException' })
  })

  test('asked of another key than the one that wrapped it is refused as that', async () => {
    const { PrivateKeyCiphertextBlob: CiphertextBlob } = await makePair(acme, 'acme')
    const command = new DecryptCommand({ CiphertextBlob, KeyId: SILO_KEY, EncryptionContext: contextOf('acme') })
    await expect(root.send(command)).rejects.toMatchObject({ name: 'IncorrectKeyException' })
  })
})

describe('the fence of the encryption context', () => {
  test("tenant B's session cannot open what belongs to tenant A, nor claim A's context", async () => {
    const { PrivateKeyCiphertextBlob: CiphertextBlob } = await makePair(acme, 'acme')
    for (const tenant of ['acme', 'globex']) {
      const command = new DecryptCommand({ CiphertextBlob, EncryptionContext: contextOf(tenant) })
      const name = tenant === 'acme' ? 'AccessDeniedException' : 'InvalidCiphertextException'
      await expect(globex.send(command)).rejects.toMatchObject({ name })
    }
  })

  test('a session without the tag, or a call without the context, opens nothing', async () => {
    const { PrivateKeyCiphertextBlob: CiphertextBlob } = await makePair(acme, 'acme')
    const untagged = new KMSClient(aws.client(aws.credentialsForRole(DATA_ROLE)))
    await expect(
      untagged.send(new DecryptCommand({ CiphertextBlob, EncryptionContext: contextOf('acme') })),
    ).rejects.toMatchObject({ name: 'AccessDeniedException' })
    await expect(acme.send(new DecryptCommand({ CiphertextBlob }))).rejects.toMatchObject({
      name: 'AccessDeniedException',
    })
  })

  test('the identity policy alone does not do: a key policy without the account counts by itself', async () => {
    await expect(acme.send(new DescribeKeyCommand({ KeyId: POOL_KEY }))).rejects.toMatchObject({
      name: 'AccessDeniedException',
    })
  })

  test("the widest identity policy does not pass the key policy's deny", async () => {
    const widest = { Version: '2012-10-17', Statement: [{ Effect: 'Allow', Action: '*', Resource: '*' }] } as const
    const mintRole = Object.values(sampleCloud.roles).find(({ arn }) => arn.endsWith('mintmark-mint'))!
    aws.replaceCloud({
      ...sampleCloud,
      roles: { ...sampleCloud.roles, [mintRole.arn]: { ...mintRole, inline: { widest } } },
    })
    const { PrivateKeyCiphertextBlob: CiphertextBlob } = await makePair(acme, 'acme')
    const mint = new KMSClient(aws.client(aws.credentialsFor('mint')))
    const command = new DecryptCommand({ CiphertextBlob, EncryptionContext: contextOf('acme') })
    await expect(mint.send(command)).rejects.toMatchObject({
      name: 'AccessDeniedException',
      message: expect.stringContaining('explicit deny'),
    })
    aws.replaceCloud(sampleCloud)
  })
})

describe('a signing key', () => {
  const digest = Buffer.alloc(32, 7)

  test('signs a digest in DER, and a message it hashes itself, so that its public key verifies both', async () => {
    const mint = new KMSClient(aws.client(aws.credentialsFor('mint')))
    const { PublicKey } = await mint.send(new GetPublicKeyCommand({ KeyId: SILO_KEY }))
    const key = createPublicKey({ key: Buffer.from(PublicKey!), format: 'der', type: 'spki' })
    const message = Buffer.from('header.payload')
    const sign = (Message: Buffer, MessageType: 'RAW' | 'DIGEST') =>
      mint.send(new SignCommand({ KeyId: SILO_KEY, Message, MessageType, SigningAlgorithm: 'ECDSA_SHA_256' }))
    const { Signature: raw } = await sign(message, 'RAW')
    expect(verify('sha256', message, key, raw!)).toBe(true)
    // Many: the lengths of r and s differ, and DER with them.
    for (let round = 0; round < 20; round++) {
      const each = Buffer.from(`message ${round}`)
      const { Signature } = await sign(createHash('sha256').update(each).digest(), 'DIGEST')
      expect(verify('sha256', each, key, Signature!)).toBe(true)
      expect(verify('sha256', message, key, Signature!)).toBe(false)
    }
  })

  test.each([
    [
      'another algorithm',
      { SigningAlgorithm: 'ECDSA_SHA_384', Message: digest, MessageType: 'DIGEST' },
      'InvalidKeyUsageException',
    ],
    [
      'a digest of a wrong length',
      { SigningAlgorithm: 'ECDSA_SHA_256', Message: Buffer.alloc(20), MessageType: 'DIGEST' },
      'ValidationException',
    ],
    [
      'a message too long',
      { SigningAlgorithm: 'ECDSA_SHA_256', Message: Buffer.alloc(4097), MessageType: 'RAW' },
      'ValidationException',
    ],
  ] as const)('refuses %s', async (_, input, name) => {
    await expect(root.send(new SignCommand({ KeyId: SILO_KEY, ...input }))).rejects.toMatchObject({ name })
  })

  test('does not encrypt, and a wrapping key does not sign', async () => {
    await expect(root.send(new EncryptCommand({ KeyId: SILO_KEY, Plaintext: digest }))).rejects.toMatchObject({
      name: 'InvalidKeyUsageException',
    })
    await expect(
      root.send(
        new SignCommand({ KeyId: POOL_KEY, Message: digest, MessageType: 'DIGEST', SigningAlgorithm: 'ECDSA_SHA_256' }),
      ),
    ).rejects.toMatchObject({ name: 'InvalidKeyUsageException' })
  })
})

test('a key made for a silo is found by its ARN, signs, and carries its tags into decisions', async () => {
  const { KeyMetadata } = await root.send(
    new CreateKeyCommand({
      KeySpec: 'RSA_2048',
      KeyUsage: 'SIGN_VERIFY',
      Tags: [{ TagKey: 'mintmark-tenant', TagValue: 'acme' }],
    }),
  )
  const KeyId = KeyMetadata!.Arn!
  const { PublicKey } = await root.send(new GetPublicKeyCommand({ KeyId }))
  const message = Buffer.from('m')
  const { Signature } = await root.send(
    new SignCommand({ KeyId, Message: message, SigningAlgorithm: 'RSASSA_PKCS1_V1_5_SHA_256' }),
  )
  const key = createPublicKey({ key: Buffer.from(PublicKey!), format: 'der', type: 'spki' })
  expect(verify('sha256', message, key, Signature!)).toBe(true)

  aws.recorder.clear()
  const mint = new KMSClient(aws.client(aws.credentialsFor('mint')))
  await expect(mint.send(new GetPublicKeyCommand({ KeyId }))).rejects.toMatchObject({ name: 'AccessDeniedException' })
  expect(aws.recorder.entries()[0]?.context['aws:ResourceTag/mintmark-tenant']).toBe('acme')
})

test('an alias stands for its key, and an alias that is not there is not found', async () => {
  const { KeyMetadata } = await root.send(new DescribeKeyCommand({ KeyId: 'alias/mintmark-pool' }))
  expect(KeyMetadata?.Arn).toBe(POOL_KEY)
  await expect(root.send(new DescribeKeyCommand({ KeyId: 'alias/none' }))).rejects.toMatchObject({
    name: 'NotFoundException',
  })
})
