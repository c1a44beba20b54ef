// The scenarios `predecessor` and `predecessor-small` for k6: the same stages, the same body. Their configuration is predecessor.json,
// which a test of ess-load compares with the scenarios.
//
//   k6 run load/k6/predecessor.js                          against http://127.0.0.1:8000
//   k6 run -e SCENARIO=predecessor-small -e URL=http://command-api:8000 load/k6/predecessor.js
import { check } from 'k6';
import http from 'k6/http';
import exec from 'k6/execution';

const all = JSON.parse(open('./predecessor.json'));
const scenario = all.scenarios[__ENV.SCENARIO || 'predecessor'];
const url = `${__ENV.URL || 'http://127.0.0.1:8000'}${all.path}`;
const testId = __ENV.TEST_ID || `k6-${Date.now()}`;

export const options = {
  scenarios: {
    predecessor: {
      executor: 'ramping-vus',
      startVUs: scenario.start,
      stages: scenario.stages,
      gracefulRampDown: '30s',
    },
  },
  thresholds: { checks: ['rate==1'], http_req_failed: ['rate==0'] },
  summaryTrendStats: ['avg', 'med', 'p(90)', 'p(95)', 'p(99)', 'max'],
};

// Makes the test id once: otherwise every virtual user would make its own.
export function setup() {
  return { testId };
}

export default function send(run) {
  const values = {
    test_id: run.testId,
    user: exec.vu.idInTest,
    number: exec.scenario.iterationInTest,
    time: new Date().toISOString(),
  };
  const body = all.body.replace(/\{(test_id|user|number|time)\}/g, (_, name) => values[name]);
  const response = http.post(url, body, { headers: { 'Content-Type': all.media_type } });
  check(response, { 'status is 200': (r) => r.status === 200 });
}
