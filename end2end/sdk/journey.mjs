// The customer's side of the journey, with the real SDK: what a test run or a curious engineer does with a key.
// Usage: ISORUN_API_URL=... ISORUN_API_KEY=... node journey.mjs create|lifecycle|list|destroy-all
// Prints one line of JSON with the ids it made and what the API answered. Exits with 1 and the error otherwise.
import { Isorun, IsorunError } from 'isorun'

const isorun = new Isorun()
const size = { image: 'node:22-slim', vcpus: 1, memMiB: 1024, timeoutSec: 0 }

async function create() {
  const sandbox = await isorun.create(size)
  return { created: sandbox.id }
}

// Everything a sandbox can go through. Leaves nothing running.
async function lifecycle() {
  const sandbox = await isorun.create(size)
  await sandbox.exec('node -v')
  await sandbox.writeFile('/tmp/hello.txt', 'hello')
  await sandbox.readFile('/tmp/hello.txt')
  await sandbox.readdir('/tmp')
  await sandbox.setTimeout(3600)
  await sandbox.hibernate()
  const hibernated = await sandbox.info()
  await sandbox.resume()
  const resumed = await sandbox.info()
  const forks = await sandbox.fork(2)
  const snapshot = await sandbox.snapshot()
  const snapshots = await isorun.listSnapshots()
  const audit = await sandbox.auditLog()
  const destroyed = await sandbox.destroy()
  const restored = await isorun.restore(snapshot.id)
  const listed = await isorun.list()
  const usage = await isorun.usage()
  for (const one of [...forks, restored]) await one.destroy()
  await isorun.deleteSnapshot(snapshot.id)
  const history = await isorun.history()
  return {
    created: sandbox.id,
    forks: forks.map((fork) => fork.id),
    snapshot: snapshot.id,
    restored: restored.id,
    statuses: [hibernated.status, resumed.status, destroyed.status],
    listed: listed.map((one) => one.id),
    snapshots: snapshots.map((one) => one.id),
    audited: audit.map((entry) => entry.event),
    profiles: (await isorun.networkProfiles()).map((profile) => profile.name),
    usage,
    history: history.map((entry) => ({ id: entry.id, uptimeMs: entry.uptimeMs, costCents: entry.costCents })),
    absent: await isorun.get('run0000000000000000'),
  }
}

async function list() {
  const sandboxes = await isorun.list()
  return { listed: await Promise.all(sandboxes.map(async (one) => ({ id: one.id, status: (await one.info()).status }))) }
}

async function destroyAll() {
  const sandboxes = await isorun.list()
  for (const sandbox of sandboxes) await sandbox.destroy()
  return { destroyed: sandboxes.map((sandbox) => sandbox.id) }
}

const steps = { create, lifecycle, list, 'destroy-all': destroyAll }
const step = steps[process.argv[2]]
if (!step) {
  process.stderr.write(`unknown step; one of: ${Object.keys(steps).join(', ')}\n`)
  process.exit(2)
}
try {
  process.stdout.write(`${JSON.stringify(await step())}\n`)
} catch (error) {
  const status = error instanceof IsorunError ? error.status : null
  process.stderr.write(`${JSON.stringify({ error: error.message, status })}\n`)
  process.exitCode = 1
} finally {
  isorun.close()
}
