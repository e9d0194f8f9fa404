// A relying party made of openid-client, unmodified, that signs what it sends: PAR, JAR, JARM, DPoP, the device grant.
//
// It makes its keys and prints {origin, jwks}; then reads one line {issuer, client_id, features, metadata}.
// /login starts a sign-in, /callback answers with what the library accepted, /refresh, /device and /poll go on.
import { createServer } from 'node:http'
import { createInterface } from 'node:readline'
import { decodeProtectedHeader, exportJWK, generateKeyPair } from 'jose'
import * as client from 'openid-client'

const KID = 'interop'
const keys = await generateKeyPair('ES256', { extractable: true })
const publicKey = { ...(await exportJWK(keys.publicKey)), kid: KID, alg: 'ES256', use: 'sig' }
const signer = { key: keys.privateKey, kid: KID }
const visit = {}
let config
let origin
let features = new Set()
let proof

const server = createServer((request, response) => {
  answer(request, response).catch((error) => {
    response.writeHead(500, { 'content-type': 'application/json' })
    response.end(JSON.stringify({ error: error.message, code: error.code, oauth: error.error, cause: `${error.cause}` }))
  })
})

async function answer(request, response) {
  const url = new URL(request.url, origin)
  switch (url.pathname) {
    case '/login':
      return redirect(response, await startSignIn(url.searchParams))
    case '/callback':
      return send(response, await finishSignIn(url))
    case '/refresh':
      return send(response, await refresh())
    case '/device':
      visit.device = await client.initiateDeviceAuthorization(config, Object.fromEntries(url.searchParams))
      return send(response, visit.device)
    case '/poll':
      return send(response, await poll())
    default:
      response.writeHead(404)
      response.end()
  }
}

function withProof() {
  return features.has('dpop') ? { DPoP: proof } : undefined
}

async function startSignIn(parameters) {
  visit.verifier = client.randomPKCECodeVerifier()
  visit.state = client.randomState()
  visit.nonce = client.randomNonce()
  const wanted = {
    redirect_uri: `${origin}/callback`,
    code_challenge: await client.calculatePKCECodeChallenge(visit.verifier),
    code_challenge_method: 'S256',
    state: visit.state,
    nonce: visit.nonce,
    ...Object.fromEntries(parameters),
  }
  if (features.has('jar')) {
    const signed = await client.buildAuthorizationUrlWithJAR(config, wanted, signer)
    if (!features.has('par')) return signed
    return client.buildAuthorizationUrlWithPAR(config, signed.searchParams, withProof())
  }
  if (features.has('par')) return client.buildAuthorizationUrlWithPAR(config, wanted, withProof())
  return client.buildAuthorizationUrl(config, wanted)
}

async function finishSignIn(url) {
  const checks = {
    pkceCodeVerifier: visit.verifier,
    expectedState: visit.state,
    expectedNonce: visit.nonce,
    idTokenExpected: true,
  }
  const tokens = await client.authorizationCodeGrant(config, url, checks, undefined, withProof())
  visit.tokens = tokens
  const claims = tokens.claims()
  const userinfo = await client.fetchUserInfo(config, tokens.access_token, claims.sub, withProof())
  return { claims, userinfo, token_type: tokens.token_type, parameters: [...url.searchParams.keys()], id_token_header: decodeProtectedHeader(tokens.id_token) }
}

async function refresh() {
  const tokens = await client.refreshTokenGrant(config, visit.tokens.refresh_token, undefined, withProof())
  return { token_type: tokens.token_type, claims: tokens.claims(), refresh_token_is_new: tokens.refresh_token !== undefined && tokens.refresh_token !== visit.tokens.refresh_token }
}

async function poll() {
  const tokens = await client.pollDeviceAuthorizationGrant(config, visit.device, undefined, withProof())
  const userinfo = await client.fetchUserInfo(config, tokens.access_token, tokens.claims().sub, withProof())
  return { claims: tokens.claims(), userinfo }
}

function redirect(response, url) {
  response.writeHead(303, { location: url.href })
  response.end()
}

function send(response, document) {
  response.writeHead(200, { 'content-type': 'application/json' })
  response.end(JSON.stringify(document))
}

async function configure({ issuer, client_id, metadata, ...rest }) {
  features = new Set(rest.features)
  const execute = [client.allowInsecureRequests, client.enableNonRepudiationChecks]
  if (features.has('jarm')) execute.push(client.useJwtResponseMode)
  const authentication = features.has('public') ? client.None() : client.PrivateKeyJwt(signer)
  config = await client.discovery(new URL(issuer), client_id, metadata, authentication, { execute })
  proof = client.getDPoPHandle(config, await client.randomDPoPKeyPair('ES256'))
  return { discovered: config.serverMetadata().issuer }
}

server.listen(0, '127.0.0.1', () => {
  origin = `http://127.0.0.1:${server.address().port}`
  console.log(JSON.stringify({ origin, jwks: { keys: [publicKey] } }))
})

createInterface({ input: process.stdin })
  .on('line', async (line) => console.log(JSON.stringify(await configure(JSON.parse(line)))))
  .on('close', () => server.close(() => process.exit(0)))
