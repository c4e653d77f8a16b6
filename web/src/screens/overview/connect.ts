import type { Said } from '../../text/text';

/**
 * Ways to connect traffic, as docs RECIPES.md and USAGE.md tell them: copied
 * from there, so that what is learned here is found again there.
 */
export type Way = { id: string; title: Said; sees: Said; note: Said; steps: readonly { what: Said; code: string }[] };

const listen = {
  what: { zh: '启动时让獬豸接收上报（已在运行的，加上 --listen 后重启）', en: 'Let Xiezhi take what is sent (restart with --listen)' },
  code: 'xiezhi serve --data /var/lib/xiezhi --listen 127.0.0.1:8400',
};

export const ways: readonly Way[] = [
  {
    id: 'nginx-lua',
    title: { zh: 'nginx / OpenResty 插件', en: 'Plug-in for nginx, OpenResty' },
    sees: { zh: '请求和响应正文、请求头顺序', en: 'bodies of both directions, order of headers' },
    note: {
      zh: '从不在请求里等待，采集端收不下的就丢弃并计数。Debian 先安装 libnginx-mod-http-lua 和 lua-cjson。',
      en: 'It never waits within a request; what cannot be taken is dropped and counted. On Debian install libnginx-mod-http-lua and lua-cjson first.',
    },
    steps: [
      listen,
      {
        what: { zh: '写进 nginx 的 http 块', en: 'Put this into the http block of nginx' },
        code: `lua_package_path "/usr/share/xiezhi/?.lua;;";
client_body_buffer_size 64k;
init_worker_by_lua_block { require("xiezhi").start{ url = "http://127.0.0.1:8400/v1/harl", token = "TOKEN" } }
body_filter_by_lua_block { require("xiezhi").body() }
log_by_lua_block { require("xiezhi").log() }`,
      },
    ],
  },
  {
    id: 'packets',
    title: { zh: '镜像口抓包', en: 'Packets of a mirror port' },
    sees: { zh: '明文 HTTP 和密钥已知的 TLS，请求和响应正文', en: 'plaintext HTTP and TLS whose keys are known, both bodies' },
    note: {
      zh: '不改动任何服务器。TLS 在负载均衡卸载的，镜像它的内侧。',
      en: 'No server is changed. Where a load balancer ends TLS, mirror its inner side.',
    },
    steps: [
      {
        what: { zh: '从网卡读取', en: 'Read from the interface' },
        code: "xiezhi serve --data /var/lib/xiezhi --live eth1 --bpf 'tcp port 80 or tcp port 8080'",
      },
    ],
  },
  {
    id: 'apisix',
    title: { zh: 'APISIX http-logger', en: 'APISIX http-logger' },
    sees: { zh: '请求和响应正文', en: 'bodies of both directions' },
    note: { zh: '超过 APISIX 自身上限的正文会被截断。', en: 'Bodies beyond the caps of APISIX are cut.' },
    steps: [
      listen,
      {
        what: { zh: '在路由或全局规则中启用', en: 'Switch it on for a route or globally' },
        code: `{
  "plugins": {
    "http-logger": {
      "uri": "http://127.0.0.1:8400/v1/apisix",
      "auth_header": "Bearer TOKEN",
      "include_req_body": true,
      "include_resp_body": true
    }
  }
}`,
      },
    ],
  },
  {
    id: 'kafka',
    title: { zh: 'Kafka', en: 'Kafka' },
    sees: { zh: '所写入的 HAR 行中的全部内容', en: 'whatever the HAR lines in the topic hold' },
    note: { zh: '处理完才提交位点，重启不丢。', en: 'Offsets are committed only when what stood before them is safe.' },
    steps: [
      {
        what: { zh: '从主题读取 HAR 行', en: 'Read HAR lines from a topic' },
        code: 'xiezhi serve --data /var/lib/xiezhi --kafka kafka-1:9092,kafka-2:9092 --kafka-topic api-traffic',
      },
    ],
  },
  {
    id: 'log',
    title: { zh: '访问日志', en: 'Access log' },
    sees: { zh: '方法、路径、状态、客户端；没有正文，多数缺陷看不到', en: 'method, path, status, client; no bodies, so most defects stay unseen' },
    note: { zh: 'nginx、Apache、HAProxy、Caddy 的格式自动识别，滚动后继续跟踪。', en: 'Formats of nginx, Apache, HAProxy and Caddy are recognised; rotation is followed.' },
    steps: [
      {
        what: { zh: '跟踪日志文件', en: 'Follow the file' },
        code: 'xiezhi serve --data /var/lib/xiezhi --follow /var/log/nginx/access.log',
      },
    ],
  },
  {
    id: 'proxy',
    title: { zh: '串接代理', en: 'Proxy in front' },
    sees: { zh: '请求和响应正文', en: 'bodies of both directions' },
    note: { zh: '在应用之前转发请求；獬豸忙不过来时照常放行并计数。', en: 'Requests pass through it; when Xiezhi cannot keep up they pass unseen and are counted.' },
    steps: [
      {
        what: { zh: '在应用之前监听', en: 'Listen in front of the application' },
        code: 'xiezhi serve --data /var/lib/xiezhi --proxy 127.0.0.1:8080=http://127.0.0.1:3000',
      },
    ],
  },
  {
    id: 'demo',
    title: { zh: '先看演示', en: 'See a demo first' },
    sees: { zh: '十个虚构应用数月的流量，有正常用户也有攻击者', en: 'months of made-up traffic of ten applications, honest and hostile' },
    note: { zh: '另起一个进程和临时目录，不联网，不影响这里。', en: 'A process and folder of its own; nothing goes out to any network and nothing here changes.' },
    steps: [{ what: { zh: '运行', en: 'Run' }, code: 'xiezhi demo' }],
  },
];
