// A service that is only a page: oidc-client-ts, unmodified, in a real browser. Its settings stand in /settings.json.
const events = []
const say = (text) => { document.getElementById('state').textContent = text }

async function makeManager() {
  const settings = await (await fetch('/settings.json')).json()
  return new oidc.UserManager({ ...settings, userStore: new oidc.WebStorageStateStore({ store: window.sessionStorage }) })
}

async function start() {
  const manager = await makeManager()
  window.manager = manager
  window.happened = events
  for (const name of ['UserSignedOut', 'UserSessionChanged', 'SilentRenewError']) {
    manager.events[`add${name}`](() => events.push(name))
  }
  if (location.pathname === '/callback') {
    window.user = await manager.signinRedirectCallback()
    return say('signed in')
  }
  if (location.pathname === '/silent') return manager.signinSilentCallback()
  window.user = await manager.getUser()
  return say('ready')
}

addEventListener('load', () => start().catch((error) => say(`failed: ${error.message}`)))
