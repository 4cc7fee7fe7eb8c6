// clients.js CLIENT PORT - one cluster client of Node.js that knows one port.
//
// Reads commands, a JSON array a line, and answers each with a line: {"ok": reply} or
// {"error": text}. ["NODES"] is answered with the ports that the client knows,
// ["AWAIT", channel] once it is subscribed, and ["MESSAGE"] with the first message.
import readline from "node:readline";
import Redis from "ioredis";
import { createCluster } from "redis";

async function ioredis(port) {
    const cluster = new Redis.Cluster([{ host: "127.0.0.1", port }], {
        slotsRefreshTimeout: 5000,
        redisOptions: { connectTimeout: 5000 },
    });
    await new Promise((done, failed) => {
        cluster.once("ready", done);
        cluster.once("error", failed);
    });
    return {
        nodes: () => cluster.nodes("all").map((n) => n.options.port),
        call: (name, ...args) => cluster.call(name, ...args),
        subscribe: (channel, heard) => {
            cluster.on("message", (_, text) => heard(text));
            return cluster.subscribe(channel);
        },
    };
}

async function nodeRedis(port) {
    const cluster = createCluster({ rootNodes: [{ url: `redis://127.0.0.1:${port}` }] });
    cluster.on("error", (e) => console.error(String(e)));
    await cluster.connect();
    return {
        nodes: () => cluster.masters.map((n) => n.port),
        call: (name, ...args) => cluster.sendCommand(args[0], false, [name, ...args]),
        subscribe: (channel, heard) => cluster.subscribe(channel, heard),
    };
}

const [kind, port] = process.argv.slice(2);
const client = await { ioredis, "node-redis": nodeRedis }[kind](Number(port));
let heard;
const message = new Promise((resolve) => (heard = resolve));

for await (const line of readline.createInterface({ input: process.stdin })) {
    const [name, ...args] = JSON.parse(line);
    let answer;
    try {
        if (name === "NODES") answer = { ok: client.nodes() };
        else if (name === "AWAIT") answer = { ok: void (await client.subscribe(args[0], heard)) };
        else if (name === "MESSAGE") answer = { ok: await message };
        else answer = { ok: await client.call(name, ...args) };
    } catch (e) {
        answer = { error: e.message };
    }
    console.log(JSON.stringify(answer));
}
process.exit(0);
