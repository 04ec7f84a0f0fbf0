// Opens a page in headless Chromium, in light and dark and narrow, and has axe-core look at it. Nothing may be fetched,
// nothing may run that the page brought, and the printed page must hold what a folded one hides.
const { existsSync, readFileSync } = require('node:fs');
const { delimiter, join } = require('node:path');
const puppeteer = require(join(process.env.CMCOMPLY_NODE_MODULES, 'puppeteer-core'));
const axe = readFileSync(join(process.env.CMCOMPLY_NODE_MODULES, 'axe-core/axe.min.js'), 'utf8');

const [, , program, page] = process.argv;
const chromium = process.env.PATH.split(delimiter).map((folder) => join(folder, program)).find(existsSync);
const wrong = [];

(async () => {
  const browser = await puppeteer.launch({
    executablePath: chromium,
    args: ['--no-sandbox', '--disable-gpu', '--disable-dev-shm-usage'],
    protocolTimeout: 120000,
  });
  const tab = await browser.newPage();
  tab.on('request', (request) => request.url() === `file://${page}` || wrong.push(`fetched ${request.url()}`));
  tab.on('console', (message) => wrong.push(`console: ${message.text()}`));
  tab.on('dialog', (dialog) => { wrong.push('a dialog'); dialog.dismiss(); });
  for (const [scheme, width] of [['light', 1200], ['dark', 1200], ['light', 400]]) {
    await tab.emulateMediaFeatures([{ name: 'prefers-color-scheme', value: scheme }]);
    await tab.setViewport({ width, height: 900 });
    await tab.goto(`file://${page}`);
    const ground = await tab.evaluate(() => getComputedStyle(document.body).backgroundColor);
    const expected = scheme === 'dark' ? 'rgb(20, 23, 28)' : 'rgb(255, 255, 255)';
    if (ground !== expected) wrong.push(`the style sheet does not take effect: ${ground}`);
    const wide = await tab.evaluate(() => document.documentElement.scrollWidth > document.documentElement.clientWidth);
    if (wide) wrong.push(`wider than ${width} pixels`);
    await tab.evaluate(`(() => { ${axe} })(); undefined`);
    const found = await tab.evaluate(() => axe.run(document, { resultTypes: ['violations'] }));
    for (const violation of found.violations) {
      wrong.push(`${scheme} ${width}: ${violation.id}: ${violation.help}: ${violation.nodes[0].html.slice(0, 200)}`);
    }
  }
  await browser.close();
  if (wrong.length > 0) throw new Error(wrong.join('\n'));
})().catch((error) => { console.error(error.message); process.exit(1); });
