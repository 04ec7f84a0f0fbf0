// Reads HDF with the library of Heimdall and prints the status that it shows, counted.
const { readFileSync } = require('node:fs');
const { join } = require('node:path');
const { contextualizeEvaluation, convertFile } = require(join(process.env.CMCOMPLY_NODE_MODULES, 'inspecjs'));

const file = convertFile(readFileSync(process.argv[2], 'utf8'), true)['1_0_ExecJson'];
const counts = { Failed: 0, 'Not Applicable': 0, 'Not Reviewed': 0, Passed: 0, 'Profile Error': 0 };
for (const profile of contextualizeEvaluation(file).contains) {
  for (const control of profile.contains) counts[control.hdf.status] += 1;
}
console.log(Object.entries(counts).map(([name, count]) => `${name}: ${count}`).join('\n'));
