// A conversation as @openai/agents-realtime holds it: typed with a tool, typed, spoken, and interrupted.
// Arguments: the socket's address, the key, a file of PCM16 at 24 kHz. Prints what it saw as one line of JSON.
import { readFileSync } from 'node:fs';
import { OpenAIRealtimeWebSocket, RealtimeAgent, RealtimeSession, tool } from '@openai/agents-realtime';
import { z } from 'zod';

const [url, apiKey, speech] = process.argv.slice(2);
const CHUNK = 4800; // 100 ms
const seen = { tools: [], errors: [], kinds: {}, bytes: 0, statuses: [] };

const getWeather = tool({
  name: 'get_weather',
  description: 'Return the weather for a city.',
  parameters: z.object({ city: z.string() }),
  execute: async ({ city }) => {
    seen.tools.push(city);
    return `The sky over ${city} is clear.`;
  },
});
const agent = new RealtimeAgent({ name: 'Greeter', instructions: 'Be brief.', tools: [getWeather] });
const transport = new OpenAIRealtimeWebSocket({ url, useInsecureApiKey: true });
const session = new RealtimeSession(agent, { transport, model: 'gpt-realtime' });

let waiting = [];
const until = (condition) => new Promise((resolve) => waiting.push({ condition, resolve }));
const look = () => {
  waiting = waiting.filter(({ condition, resolve }) => !(condition() && (resolve(), true)));
};
const words = () => session.history.filter((item) => item.type === 'message').map((item) => [
  item.role, item.content.map((part) => part.transcript ?? part.text ?? '').join(' ')]);
const turns = () => seen.statuses.length;

session.on('audio', (event) => { seen.bytes += event.data.byteLength; look(); });
session.on('error', (error) => { seen.errors.push(String(error?.error?.error?.message ?? error?.error?.message ?? JSON.stringify(error))); });
session.on('history_updated', look);
session.on('transport_event', (event) => {
  seen.kinds[event.type] = (seen.kinds[event.type] ?? 0) + 1;
  if (event.type === 'response.done') seen.statuses.push(event.response.status);
  look();
});
setTimeout(() => { console.log(JSON.stringify({ ...seen, timeout: words() })); process.exit(1); }, 20_000).unref();

await session.connect({ apiKey });
session.sendMessage('what is the weather in Berlin');
await until(() => turns() === 2);
session.sendMessage('what is my next meeting');
await until(() => turns() === 3);

const pcm = readFileSync(speech);
for (let at = 0; at < pcm.length; at += CHUNK) {
  session.sendAudio(new Uint8Array(pcm.subarray(at, at + CHUNK)).buffer);
}
await until(() => turns() === 4);

const before = seen.bytes;
session.sendMessage('help');
await until(() => seen.bytes > before);
session.interrupt();
await until(() => seen.kinds['conversation.item.truncated'] && turns() === 5);
console.log(JSON.stringify({ ...seen, history: words() }));
session.close();
process.exit(0);
