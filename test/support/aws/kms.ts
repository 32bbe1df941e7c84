// KMS: keys that cannot be had, wrapped key pairs, signatures. Every operation first names its key and its condition keys, so
// that identity and key policies decide; then the cryptography of kms-material.ts serves.
import { type KeyObject, randomBytes, randomUUID } from 'node:crypto'
import { type Answer, AwsError, jsonAnswer } from './answer.ts'
import { type AwsCall, type JsonObject, objectsOf, stringOf, stringsOf } from './call.ts'
import { arnIn, type Cloud, document, findResource, type KmsKeyUse, type PolicyDocument } from './cloud.ts'
import {
  keyIdIn,
  newKeyPair,
  newSymmetricKey,
  open,
  privateDer,
  publicDer,
  seal,
  sha256,
  signDigest,
  signMessage,
} from './kms-material.ts'
import type { Ask, Service } from './service.ts'

/** Sizes KMS accepts (KMS API reference). */
const PLAINTEXT_BYTES_MAX = 4096
const MESSAGE_BYTES_MAX = 4096

type Material = { readonly symmetric: Buffer } | { readonly pair: KeyObject }

export const kmsService = (cloud: () => Cloud, change: (next: Cloud) => void): Service => {
  const materials = new Map<string, Material>()

  /** A key's secret half comes to be when it is first used. */
  const materialOf = (arn: string): Material => {
    const found = materials.get(arn)
    if (found !== undefined) return found
    const { spec } = keyUse(cloud(), arn)
    const made = spec === 'SYMMETRIC_DEFAULT' ? { symmetric: newSymmetricKey() } : { pair: newKeyPair(spec) }
    materials.set(arn, made)
    return made
  }
  const symmetricOf = (arn: string): Buffer => {
    const material = materialOf(arn)
    if (!('symmetric' in material)) throw new AwsError('InvalidKeyUsageException', `${arn} does not encrypt`)
    return material.symmetric
  }
  const pairOf = (arn: string): KeyObject => {
    const material = materialOf(arn)
    if (!('pair' in material)) throw new AwsError('InvalidKeyUsageException', `${arn} does not sign`)
    return material.pair
  }

  const wrap = (arn: string, input: JsonObject, plaintext: Uint8Array): string =>
    seal(idOf(arn), symmetricOf(arn), plaintext, stringsOf(input, 'EncryptionContext')).toString('base64')

  const operations: Readonly<Record<string, (input: JsonObject, arn: string) => JsonObject>> = {
    Encrypt: (input, arn) => {
      const plaintext = bytesOf(input, 'Plaintext')
      if (plaintext.length === 0 || plaintext.length > PLAINTEXT_BYTES_MAX)
        throw invalid('Plaintext has a wrong length')
      return { KeyId: arn, CiphertextBlob: wrap(arn, input, plaintext), EncryptionAlgorithm: 'SYMMETRIC_DEFAULT' }
    },
    Decrypt: (input, arn) => {
      const plaintext = open(symmetricOf(arn), bytesOf(input, 'CiphertextBlob'), stringsOf(input, 'EncryptionContext'))
      if (plaintext === null) throw new AwsError('InvalidCiphertextException', '')
      return { KeyId: arn, Plaintext: plaintext.toString('base64'), EncryptionAlgorithm: 'SYMMETRIC_DEFAULT' }
    },
    GenerateDataKey: (input, arn) => {
      const plaintext = randomBytes(32)
      return { KeyId: arn, Plaintext: plaintext.toString('base64'), CiphertextBlob: wrap(arn, input, plaintext) }
    },
    GenerateDataKeyWithoutPlaintext: (input, arn) => ({
      KeyId: arn,
      CiphertextBlob: wrap(arn, input, randomBytes(Number(input['NumberOfBytes'] ?? 32))),
    }),
    GenerateDataKeyPairWithoutPlaintext: (input, arn) => {
      const spec = stringOf(input, 'KeyPairSpec')
      if (!isPairSpec(spec)) throw invalid('KeyPairSpec is not offered here')
      const pair = newKeyPair(spec)
      return {
        KeyId: arn,
        KeyPairSpec: spec,
        PublicKey: publicDer(pair).toString('base64'),
        PrivateKeyCiphertextBlob: wrap(arn, input, privateDer(pair)),
      }
    },
    Sign: (input, arn) => {
      const pair = pairOf(arn)
      const algorithm = stringOf(input, 'SigningAlgorithm')
      const fitting = ALGORITHMS[pair.asymmetricKeyType ?? '']
      if (algorithm !== fitting)
        throw new AwsError('InvalidKeyUsageException', `${arn} does not sign with ${algorithm}`)
      const message = bytesOf(input, 'Message')
      const isDigest = stringOf(input, 'MessageType') === 'DIGEST'
      if (isDigest && message.length !== 32) throw invalid('Digest is invalid length for algorithm')
      if (message.length === 0 || message.length > MESSAGE_BYTES_MAX) throw invalid('Message has a wrong length')
      if (isDigest && algorithm === 'ED25519_SHA_512') throw invalid('Digest is not what this algorithm signs')
      const signature =
        algorithm === 'ED25519_SHA_512'
          ? signMessage(pair, message)
          : signDigest(pair, isDigest ? message : sha256(message))
      return { KeyId: arn, Signature: signature.toString('base64'), SigningAlgorithm: algorithm }
    },
    GetPublicKey: (_input, arn) => ({
      KeyId: arn,
      PublicKey: publicDer(pairOf(arn)).toString('base64'),
      KeySpec: keyUse(cloud(), arn).spec,
      KeyUsage: 'SIGN_VERIFY',
    }),
    DescribeKey: (_input, arn) => ({ KeyMetadata: metadataOf(cloud(), arn) }),
  }

  return {
    asks: (call) => [call.operation === 'CreateKey' ? createAsk(call, cloud()) : keyAsk(call, cloud())],
    serve: (call): Answer => {
      if (call.operation === 'CreateKey') {
        const { arn, next } = createdKey(call.input, cloud())
        change(next)
        return jsonAnswer({ KeyMetadata: metadataOf(next, arn) })
      }
      const serve = operations[call.operation]
      if (serve === undefined) throw new AwsError('UnknownOperationException', `${call.operation} is not emulated`)
      const arn = keyArnOf(call, cloud())
      keyUse(cloud(), arn)
      return jsonAnswer(serve(call.input, arn))
    },
  }
}

const ALGORITHMS: Readonly<Record<string, string>> = {
  ec: 'ECDSA_SHA_256',
  rsa: 'RSASSA_PKCS1_V1_5_SHA_256',
  ed25519: 'ED25519_SHA_512',
}

type PairSpec = Exclude<KmsKeyUse['spec'], 'SYMMETRIC_DEFAULT'>
const isPairSpec = (spec: string | undefined): spec is PairSpec =>
  spec === 'ECC_NIST_P256' || spec === 'RSA_2048' || spec === 'ECC_NIST_EDWARDS25519'

const invalid = (message: string): AwsError => new AwsError('ValidationException', message)
const bytesOf = (input: JsonObject, name: string): Buffer => Buffer.from(stringOf(input, name) ?? '', 'base64')
const idOf = (arn: string): string => arn.slice(arn.indexOf('key/') + 4)

const keyUse = (cloud: Cloud, arn: string): KmsKeyUse => {
  const key = cloud.resources[arn]?.key
  if (key === undefined) throw new AwsError('NotFoundException', `Key '${arn}' does not exist`)
  return key
}

/** By id, ARN, alias or alias ARN; for Decrypt without one, by what the ciphertext itself names. */
const keyArnOf = ({ operation, input }: AwsCall, cloud: Cloud): string => {
  const named = stringOf(input, 'KeyId')
  const inside = operation === 'Decrypt' ? keyIdIn(bytesOf(input, 'CiphertextBlob')) : null
  const wrapper = inside === null ? undefined : arnIn(cloud, 'kms', `key/${inside}`)
  if (named === undefined && operation !== 'Decrypt') return '*'
  if (named === undefined) {
    if (wrapper === undefined || cloud.resources[wrapper] === undefined)
      throw new AwsError('InvalidCiphertextException', '')
    return wrapper
  }
  const alias = /(?:^|:)(alias\/.+)$/.exec(named)?.[1]
  const arn =
    alias === undefined
      ? named.startsWith('arn:')
        ? named
        : arnIn(cloud, 'kms', `key/${named}`)
      : cloud.aliases[alias]
  if (arn === undefined) throw new AwsError('NotFoundException', `Alias ${named} is not found.`)
  if (wrapper !== undefined && wrapper !== arn)
    throw new AwsError('IncorrectKeyException', 'The key is not the one that encrypted')
  return arn
}

/** Condition keys of KMS (KMS developer guide, "AWS KMS condition keys"). */
const keyAsk = (call: AwsCall, cloud: Cloud): Ask => {
  const { input, operation } = call
  const resource = keyArnOf(call, cloud)
  const use = findResource(cloud, resource)?.key
  const context: Record<string, string | string[]> = { 'kms:CallerAccount': cloud.account }
  if (use !== undefined) {
    context['kms:KeySpec'] = use.spec
    context['kms:KeyUsage'] = use.usage
    context['kms:KeyOrigin'] = 'AWS_KMS'
    context['kms:MultiRegion'] = 'false'
  }
  const alias = /(alias\/.+)$/.exec(stringOf(input, 'KeyId') ?? '')?.[1]
  if (alias !== undefined) context['kms:RequestAlias'] = alias
  const aliases = Object.keys(cloud.aliases).filter((name) => cloud.aliases[name] === resource)
  if (aliases.length > 0) context['kms:ResourceAliases'] = aliases
  const pairs = Object.entries(stringsOf(input, 'EncryptionContext'))
  for (const [key, value] of pairs) context[`kms:EncryptionContext:${key}`] = value
  if (pairs.length > 0) context['kms:EncryptionContextKeys'] = pairs.map(([key]) => key)
  if (/^(Encrypt|Decrypt)$/.test(operation)) context['kms:EncryptionAlgorithm'] = 'SYMMETRIC_DEFAULT'
  const [algorithm, pairSpec] = [stringOf(input, 'SigningAlgorithm'), stringOf(input, 'KeyPairSpec')]
  if (algorithm !== undefined) context['kms:SigningAlgorithm'] = algorithm
  if (operation === 'Sign') context['kms:MessageType'] = stringOf(input, 'MessageType') ?? 'RAW'
  if (pairSpec !== undefined) context['kms:DataKeyPairSpec'] = pairSpec
  return { action: `kms:${operation}`, resource, context }
}

const tagsOf = (input: JsonObject): Readonly<Record<string, string>> =>
  Object.fromEntries(
    objectsOf(input, 'Tags').map((tag) => [stringOf(tag, 'TagKey') ?? '', stringOf(tag, 'TagValue') ?? '']),
  )

/** AWS wants kms:TagResource as well when the new key has tags; no key policy can be asked before there is a key. */
const createAsk = ({ input }: AwsCall, cloud: Cloud): Ask => {
  const tags = Object.entries(tagsOf(input))
  const context: Record<string, string | string[]> = {
    'kms:CallerAccount': cloud.account,
    'kms:KeySpec': stringOf(input, 'KeySpec') ?? 'SYMMETRIC_DEFAULT',
    'kms:KeyUsage': stringOf(input, 'KeyUsage') ?? 'ENCRYPT_DECRYPT',
    'kms:KeyOrigin': 'AWS_KMS',
    'kms:MultiRegion': 'false',
  }
  for (const [key, value] of tags) context[`aws:RequestTag/${key}`] = value
  if (tags.length > 0) context['aws:TagKeys'] = tags.map(([key]) => key)
  return { action: 'kms:CreateKey', resource: '*', context }
}

const createdKey = (input: JsonObject, cloud: Cloud): { readonly arn: string; readonly next: Cloud } => {
  const spec = stringOf(input, 'KeySpec') ?? 'SYMMETRIC_DEFAULT'
  if (spec !== 'SYMMETRIC_DEFAULT' && !isPairSpec(spec)) throw invalid('KeySpec is not offered here')
  const usage = stringOf(input, 'KeyUsage') ?? 'ENCRYPT_DECRYPT'
  if ((spec === 'SYMMETRIC_DEFAULT') !== (usage === 'ENCRYPT_DECRYPT')) throw invalid('KeyUsage does not fit KeySpec')
  const given = stringOf(input, 'Policy')
  const account = { AWS: `arn:aws:iam::${cloud.account}:root` }
  const policy =
    given === undefined
      ? document({ Effect: 'Allow', Principal: account, Action: 'kms:*', Resource: '*' })
      : (JSON.parse(given) as PolicyDocument)
  const arn = arnIn(cloud, 'kms', `key/${randomUUID()}`)
  const key = { spec, usage: usage === 'SIGN_VERIFY' ? usage : 'ENCRYPT_DECRYPT' } as const
  return { arn, next: { ...cloud, resources: { ...cloud.resources, [arn]: { policy, tags: tagsOf(input), key } } } }
}

const metadataOf = (cloud: Cloud, arn: string): JsonObject => {
  const { spec, usage } = keyUse(cloud, arn)
  return {
    KeyId: idOf(arn),
    Arn: arn,
    AWSAccountId: cloud.account,
    Enabled: true,
    KeyState: 'Enabled',
    KeySpec: spec,
    KeyUsage: usage,
    Origin: 'AWS_KMS',
    MultiRegion: false,
  }
}
