// The probes that a load balancer asks.
import { expect, test } from '../fixtures.ts';

test('the dashboard says that it lives and that it is ready', async ({ request }) => {
  for (const path of ['/healthz', '/readyz']) {
    const answer = await request.get(path);
    expect(answer.status(), path).toBe(200);
  }
});
