/**
 * The widget's style sheets. They are constructed, not written into the page, so the strictest `style-src` lets them be;
 * and they live in the shadow root, so the page's styles and ours do not meet.
 */

const LIGHT = `
  --surface: #ffffff; --ground: #f6f7f8; --line: #e1e5e9; --edge: #c6ccd3; --ink: #17212b; --muted: #56636f;
  --theirs: #eceff2; --theirs-ink: #17212b; --warn: #fff4dc; --warn-ink: #5c3d00; --bad: #b3261e;
  --shadow: 0 1px 2px rgb(16 24 32 / 8%), 0 12px 40px rgb(16 24 32 / 18%);
  color-scheme: light;`;

const DARK = `
  --surface: #171d24; --ground: #12171d; --line: #2b343e; --edge: #46525f; --ink: #e9edf1; --muted: #a3afba;
  --theirs: #26303a; --theirs-ink: #e9edf1; --warn: #3a2f16; --warn-ink: #f7dfa8; --bad: #ff9d94;
  --shadow: 0 1px 2px rgb(0 0 0 / 40%), 0 16px 48px rgb(0 0 0 / 55%);
  color-scheme: dark;`;

const BASE = `
:host {
  all: initial; --accent: #0d6e6e; --on-accent: #ffffff; ${LIGHT}
  position: fixed; inset-block-end: 20px; inset-inline-end: 20px; z-index: 2147483000;
  font: 15px/1.45 system-ui, -apple-system, "Segoe UI", Roboto, "Noto Sans", "PingFang SC", "Microsoft YaHei", sans-serif;
  color: var(--ink); -webkit-text-size-adjust: 100%;
}
@media (prefers-color-scheme: dark) { :host(:not([data-theme="light"])) { ${DARK} } }
:host([data-theme="dark"]) { ${DARK} }
*, *::before, *::after { box-sizing: border-box; }
[hidden] { display: none !important; }
h2, p, ol, ul { margin: 0; padding: 0; }
ol, ul { list-style: none; }
button, textarea { font: inherit; color: inherit; }
button { cursor: pointer; }
button:disabled { cursor: default; }
:focus { outline: none; }
:focus-visible { outline: 2px solid var(--accent); outline-offset: 2px; }
.icon { inline-size: 22px; block-size: 22px; fill: none; stroke: currentcolor; stroke-width: 1.8; stroke-linecap: round; stroke-linejoin: round; flex: none; }
.hidden-text { position: absolute; inline-size: 1px; block-size: 1px; overflow: hidden; clip-path: inset(50%); white-space: nowrap; }
.link { background: none; border: 0; padding: 2px 4px; margin: -2px 0; text-decoration: underline; text-underline-offset: 2px; border-radius: 4px; }
`;

const LAUNCHER = `
.launcher {
  position: relative; display: grid; place-items: center; inline-size: 58px; block-size: 58px; margin-inline-start: auto; padding: 0;
  border: 0; border-radius: 50%; background: var(--accent); color: var(--on-accent);
  box-shadow: 0 2px 6px rgb(16 24 32 / 20%), 0 8px 24px rgb(16 24 32 / 18%); transition: transform .16s ease;
}
.launcher:hover { transform: translateY(-2px); }
.launcher:focus-visible { outline: 3px solid var(--accent); outline-offset: 3px; }
.launcher .icon { grid-area: 1 / 1; inline-size: 27px; block-size: 27px; transition: opacity .16s ease, transform .16s ease; }
.launcher .icon-chat { fill: currentcolor; stroke: none; }
.launcher .icon-down { opacity: 0; transform: translateY(-6px); stroke-width: 2.4; }
:host([data-open]) .launcher .icon-chat { opacity: 0; transform: translateY(6px); }
:host([data-open]) .launcher .icon-down { opacity: 1; transform: none; }
.badge {
  position: absolute; inset-block-start: -4px; inset-inline-end: -4px; min-inline-size: 22px; block-size: 22px; padding: 0 6px;
  border-radius: 11px; background: #c62828; color: #fff; font-size: 12px; font-weight: 650; line-height: 22px; text-align: center;
  box-shadow: 0 0 0 2px var(--surface);
}
`;

const PANEL = `
.panel {
  position: absolute; inset-block-end: 74px; inset-inline-end: 0; display: flex; flex-direction: column;
  inline-size: min(388px, calc(100vw - 40px)); block-size: min(640px, calc(100dvh - 114px)); min-block-size: 280px;
  overflow: hidden; border: 1px solid var(--line); border-radius: 18px; background: var(--surface); box-shadow: var(--shadow);
  transform-origin: 100% 100%; animation: rise .18s ease-out;
}
@keyframes rise { from { opacity: 0; transform: translateY(10px) scale(.985); } }
.header { display: flex; align-items: center; gap: 12px; padding: 14px 12px 14px 16px; border-block-end: 1px solid var(--line); }
.mark { position: relative; display: grid; place-items: center; inline-size: 40px; block-size: 40px; border-radius: 13px; background: var(--accent); color: var(--on-accent); }
.mark .icon { fill: currentcolor; stroke: none; inline-size: 21px; block-size: 21px; }
.dot { position: absolute; inset-block-end: -2px; inset-inline-end: -2px; inline-size: 13px; block-size: 13px; border-radius: 50%; background: #8c98a4; border: 2.5px solid var(--surface); }
.dot.on { background: #2e9e5b; }
.heading { flex: 1; min-inline-size: 0; }
h2 { font-size: 16px; font-weight: 650; letter-spacing: -.005em; line-height: 1.25; overflow: hidden; text-overflow: ellipsis; white-space: nowrap; }
.status { color: var(--muted); font-size: 13px; overflow: hidden; text-overflow: ellipsis; white-space: nowrap; }
.header-close, .attach, .cancel { display: grid; place-items: center; inline-size: 36px; block-size: 36px; padding: 0; border: 0; border-radius: 10px; background: none; color: var(--muted); }
.header-close:hover, .attach:hover, .cancel:hover { background: var(--theirs); color: var(--ink); }
.banner { display: flex; flex-wrap: wrap; gap: 2px 8px; justify-content: space-between; padding: 9px 16px; background: var(--warn); color: var(--warn-ink); font-size: 13.5px; }
.notice { display: flex; align-items: center; justify-content: space-between; gap: 8px; margin: 0 12px 4px; padding: 4px 4px 4px 12px; border: 1px solid var(--edge); border-radius: 12px; background: var(--ground); font-size: 13.5px; }
.notice .icon, .chip .cancel .icon { inline-size: 16px; block-size: 16px; }
.wait { display: grid; grid-template-columns: auto minmax(0, 1fr); align-items: center; gap: 2px 10px; margin: 0 12px 4px; padding: 9px 12px; border-radius: 12px; background: var(--theirs); color: var(--theirs-ink); font-size: 13.5px; }
.wait .icon { inline-size: 18px; block-size: 18px; color: var(--muted); }
.wait .choices { grid-column: 2; margin-block-start: 2px; }
.wait .choices:empty { display: none; }
.wait .choice { padding: 4px 12px; font-size: 13px; }
.wait .choice:disabled { border-color: var(--line); color: var(--muted); }
.scroller { position: relative; flex: 1; display: flex; flex-direction: column; padding: 16px; overflow-y: auto; overscroll-behavior: contain; background: var(--surface); }
.scroller:focus-visible { outline-offset: -3px; }
.scroller > .list { margin-block-start: auto; }
.greeting { align-self: start; max-inline-size: 85%; padding: 10px 14px; border-radius: 16px 16px 16px 5px; background: var(--theirs); color: var(--theirs-ink); }
.earlier { align-self: center; margin-block-end: 12px; padding: 6px 14px; border: 1px solid var(--edge); border-radius: 999px; background: var(--surface); color: var(--muted); font-size: 13px; }
.earlier:hover:not(:disabled) { color: var(--ink); border-color: var(--muted); }
.small { color: var(--bad); font-size: 13px; text-align: center; margin-block-end: 8px; }
`;

const MESSAGES = `
.day, .system { display: flex; justify-content: center; margin: 16px 0 10px; color: var(--muted); font-size: 12.5px; text-align: center; }
.day { align-items: center; gap: 12px; }
.day::before, .day::after { content: ""; flex: 1; block-size: 1px; background: var(--line); }
.day:first-child { margin-block-start: 0; }
.system span { max-inline-size: 85%; }
.message { display: flex; flex-direction: column; align-items: flex-start; margin-block-start: 3px; animation: appear .16s ease-out; }
@keyframes appear { from { opacity: 0; transform: translateY(4px); } }
.message.first { margin-block-start: 12px; }
.message.own { align-items: flex-end; }
.author { display: none; margin: 0 0 3px 12px; color: var(--muted); font-size: 12.5px; }
.message.first .author { display: block; }
.body { display: flex; flex-direction: column; align-items: inherit; gap: 4px; max-inline-size: 86%; }
.bubble { max-inline-size: 100%; padding: 9px 13px; border-radius: 16px; background: var(--theirs); color: var(--theirs-ink); white-space: pre-wrap; overflow-wrap: anywhere; }
.bubble a { color: inherit; text-decoration: underline; text-underline-offset: 2px; }
.own .bubble { background: var(--accent); color: var(--on-accent); }
.own .bubble a:focus-visible { outline-color: currentcolor; }
.message.last:not(.own) .bubble { border-end-start-radius: 5px; }
.message.last.own .bubble { border-end-end-radius: 5px; }
.failed .bubble { background: var(--surface); color: var(--ink); box-shadow: inset 0 0 0 1.5px var(--bad); }
.meta { display: flex; flex-wrap: wrap; align-items: center; gap: 2px 5px; margin: 3px 4px 0; color: var(--muted); font-size: 12px; }
.meta:empty { display: none; }
.meta .icon { inline-size: 15px; block-size: 15px; }
.failed .meta { color: var(--bad); justify-content: flex-end; max-inline-size: 86%; }
.state { display: flex; position: relative; }
.state.read { color: var(--accent); }
:host([data-theme="dark"]) .state.read { color: #58c4b8; }
@media (prefers-color-scheme: dark) { :host(:not([data-theme="light"])) .state.read { color: #58c4b8; } }
.picture { position: relative; display: block; border-radius: 14px; overflow: hidden; border: 1px solid var(--line); background: var(--ground); }
.picture img { display: block; max-inline-size: 100%; max-block-size: 240px; min-inline-size: 60px; min-block-size: 40px; object-fit: contain; }
.file { position: relative; display: flex; align-items: center; gap: 10px; max-inline-size: 100%; padding: 9px 14px 9px 11px; border: 1px solid var(--edge); border-radius: 14px; background: var(--surface); color: var(--ink); text-decoration: none; font-size: 14px; }
.file:hover .file-name { text-decoration: underline; }
.file .icon, .chip > .icon { color: var(--muted); }
.file-name, .chip-name { overflow: hidden; text-overflow: ellipsis; white-space: nowrap; }
.file-size, .chip-size { color: var(--muted); font-size: 12px; white-space: nowrap; }
.choices { display: flex; flex-wrap: wrap; gap: 6px; margin-block-start: 4px; }
.choice { padding: 7px 14px; border: 1.5px solid var(--accent); border-radius: 999px; background: var(--surface); color: var(--ink); text-align: start; }
.choice:hover:not(:disabled) { background: var(--accent); color: var(--on-accent); }
.choices.past .choice { border-color: var(--line); color: var(--muted); }
.typing { margin-block-start: 12px; }
.typing .bubble { display: inline-flex; gap: 5px; padding: 13px 14px; border-end-start-radius: 5px; }
.typing i { inline-size: 7px; block-size: 7px; border-radius: 50%; background: var(--muted); animation: breathe 1.3s ease-in-out infinite; }
.typing i:nth-child(2) { animation-delay: .16s; }
.typing i:nth-child(3) { animation-delay: .32s; }
@keyframes breathe { 0%, 60%, 100% { opacity: .35; } 30% { opacity: 1; } }
`;

const COMPOSER = `
.composer { padding: 8px 12px 12px; background: var(--surface); }
.row { display: flex; align-items: flex-end; gap: 4px; padding: 4px; border: 1px solid var(--edge); border-radius: 16px; background: var(--surface); }
.row:focus-within { border-color: var(--accent); box-shadow: 0 0 0 1px var(--accent); }
textarea { flex: 1; min-inline-size: 0; max-block-size: 132px; padding: 8px 4px; border: 0; background: none; resize: none; line-height: 1.4; }
textarea:focus-visible { outline: none; }
textarea::placeholder { color: var(--muted); opacity: 1; }
.attach { inline-size: 38px; block-size: 38px; }
.send { display: grid; place-items: center; inline-size: 38px; block-size: 38px; padding: 0; border: 0; border-radius: 12px; background: var(--accent); color: var(--on-accent); }
.send .icon { inline-size: 20px; block-size: 20px; }
.send:disabled { background: var(--theirs); color: var(--muted); }
.tray { display: flex; flex-direction: column; gap: 5px; max-block-size: 150px; margin-block-end: 8px; overflow-y: auto; }
.chip { display: flex; align-items: center; gap: 9px; padding: 3px 4px 3px 10px; border: 1px solid var(--line); border-radius: 12px; background: var(--ground); font-size: 13.5px; }
.chip-name { flex: 1; min-inline-size: 0; }
.chip .cancel { inline-size: 30px; block-size: 30px; }
.chip .icon { inline-size: 18px; block-size: 18px; }
progress { appearance: none; inline-size: 84px; block-size: 5px; border: 0; border-radius: 3px; background: var(--line); overflow: hidden; }
progress::-webkit-progress-bar { background: var(--line); }
progress::-webkit-progress-value { background: var(--accent); }
progress::-moz-progress-bar { background: var(--accent); }
`;

const SITUATIONS = `
@media (max-width: 480px), (max-height: 420px) {
  :host([data-open]) { inset: 0; }
  :host([data-open]) .launcher { display: none; }
  .panel { position: fixed; inset: 0 0 auto 0; inline-size: 100%; block-size: var(--visible-height, 100dvh); min-block-size: 0; border: 0; border-radius: 0; }
  .header { padding-block-start: max(12px, env(safe-area-inset-top)); }
  .header-close { inline-size: 44px; block-size: 44px; }
  .composer { padding-block-end: max(12px, env(safe-area-inset-bottom)); }
  textarea { font-size: 16px; }
}
@media (prefers-reduced-motion: reduce) {
  *, *::before, *::after { animation: none !important; transition: none !important; }
}
@media (prefers-contrast: more) {
  :host { --line: var(--ink); --edge: var(--ink); --muted: var(--ink); }
  .bubble { box-shadow: inset 0 0 0 1px currentcolor; }
}
@media (forced-colors: active) {
  .launcher, .panel, .send, .bubble, .choice, .row, .mark, .badge { border: 1px solid ButtonText; }
  .send:disabled, .choice:disabled { border-color: GrayText; color: GrayText; }
  .launcher .icon-chat, .mark .icon { fill: ButtonText; }
  .dot.on { background: Highlight; forced-color-adjust: none; }
  .state.read { color: Highlight; }
  progress { forced-color-adjust: none; border: 1px solid; }
}
@media print { :host { display: none; } }
`;

/** The sheets to adopt; `accent` are rules that set the tenant's colour. */
export function sheets(accent = "") {
  return [BASE, LAUNCHER, PANEL, MESSAGES, COMPOSER, accent, SITUATIONS].filter(Boolean).map((rules) => {
    const sheet = new CSSStyleSheet();
    sheet.replaceSync(rules);
    return sheet;
  });
}
