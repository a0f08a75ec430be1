// One request to a server of loopback.
import { request } from 'node:http';

// What the server answers, the body as text.
export function httpAnswer(port, path, options = {}) {
    return new Promise((done, reject) => {
        const asked = request({ host: '127.0.0.1', port, path, agent: false, ...options });
        asked.on('response', (answer) => {
            let body = '';
            answer.setEncoding('utf8');
            answer.on('data', (data) => { body += data; });
            answer.on('end', () =>
                done({ status: answer.statusCode, headers: answer.headers, body }));
        });
        asked.on('error', reject);
        asked.end();
    });
}
