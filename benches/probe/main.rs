//! The probe against the physical limit, with its peers on the same targets.
//!
//! `cargo bench --bench probe -- [SIZE]... [--runs N] [--timeout SECONDS] [--no-peers]
//! [--loopback]`, by default 100, 1,000 and 10,000
//! targets, a few minutes. Linux only.
//!
//! The far side is a process of its own, at the end of a wire with a round trip of 50 ms (see `wire`), and every target
//! has a name and an address of its own. Where there is no wire (it takes root), or with `--loopback`, the far side
//! delays its answers of DNS, TLS and HTTP by itself; TCP then opens at once, so that of the four rounds three take time.
//! A dead target swallows every SYN.
//!
//! What runs is the built program with a plan. The peers get an easier job: no names to resolve (curl has `--resolve`,
//! lychee addresses), and lychee keeps no chain.

#![expect(clippy::print_stdout, reason = "a benchmark prints")]
#![cfg_attr(not(target_os = "linux"), allow(dead_code, reason = "it measures by /proc"))]

mod measure;
mod server;
#[cfg(target_os = "linux")]
mod wire;

use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::io::{self, BufRead, BufReader, Write as _};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdout, Command, Stdio};
use std::time::Duration;

use cmcomply::derive::Via;
use cmcomply::evidence::Observations;
use cmcomply::host::{HostName, Scheme};
use cmcomply::plan::{PlanBounds, PlanDocument, Probe, ProbeId, Target};
use cmcomply::probe::{Observation, Outcome};
use measure::Cost;

const ROUND_TRIP: Duration = Duration::from_millis(50);
/// The first half of the addresses of dead targets on a wire.
const DEAD_NETWORK: [u8; 2] = [10, 78];

fn main() -> io::Result<()> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let has = |word: &str| arguments.iter().any(|argument| argument == word);
    let far = std::env::var("CMCOMPLY_BENCH_FAR").ok();
    if has("--far-side") {
        return server::serve(far.is_some(), ROUND_TRIP);
    }
    let options = Options::parse(&arguments)?;
    #[cfg(target_os = "linux")]
    if far.is_none() && !has("--loopback") {
        match wire::run_inside(&arguments, ROUND_TRIP) {
            Ok(ended) if ended.success() => return Ok(()),
            Ok(ended) => return Err(io::Error::other(format!("inside the namespace: {ended}"))),
            Err(error) => say(&format!("No wire here ({error}); on loopback, TCP opens at once.")),
        }
    }
    let mut bench = Bench::start(options, far)?;
    for size in bench.options.sizes.clone() {
        for dead in [Dead::None, Dead::OnePercent, Dead::All] {
            bench.scenario(size, dead)?;
        }
    }
    bench.report();
    Ok(())
}

struct Options {
    sizes: Vec<usize>,
    runs: Option<usize>,
    timeout: Duration,
    peers: bool,
}

impl Options {
    fn parse(arguments: &[String]) -> io::Result<Self> {
        let mut options = Self { sizes: Vec::new(), runs: None, timeout: Duration::from_secs(5), peers: true };
        let mut arguments = arguments.iter();
        let wrong = |what: &str| io::Error::other(format!("not understood: {what}"));
        while let Some(argument) = arguments.next() {
            let mut number = || arguments.next().and_then(|n| n.parse().ok()).ok_or_else(|| wrong(argument));
            match argument.as_str() {
                "--bench" | "--loopback" => {} // the first comes from cargo
                "--no-peers" => options.peers = false,
                "--runs" => options.runs = Some(number()?),
                "--timeout" => options.timeout = Duration::from_secs(number()? as u64),
                size => options.sizes.push(size.parse().map_err(|_| wrong(size))?),
            }
        }
        if options.sizes.is_empty() {
            options.sizes = vec![100, 1_000, 10_000];
        }
        Ok(options)
    }

    /// Medians of five where that takes no minutes.
    fn runs(&self, size: usize, dead: Dead) -> usize {
        self.runs.unwrap_or(match (size, dead) {
            (..=1_000, _) => 5,
            (_, Dead::None) => 3,
            _ => 1,
        })
    }
}

/// How many of the targets swallow every SYN.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Dead {
    None,
    OnePercent,
    All,
}

impl Dead {
    fn is_dead(self, number: usize) -> bool {
        match self {
            Self::None => false,
            Self::OnePercent => number % 100 == 37,
            Self::All => true,
        }
    }

    fn title(self) -> &'static str {
        match self {
            Self::None => "healthy",
            Self::OnePercent => "1 % dead",
            Self::All => "all dead",
        }
    }

    /// The least that all targets can take, with so many rounds that take time.
    fn floor(self, rounds: u32, timeout: Duration) -> Duration {
        if self == Self::None { ROUND_TRIP * rounds } else { timeout + ROUND_TRIP }
    }
}

struct Bench {
    options: Options,
    far: Far,
    folder: tempfile::TempDir,
    lychee: bool,
    results: String,
    stages: String,
}

impl Bench {
    fn start(options: Options, namespace: Option<String>) -> io::Result<Self> {
        let folder = tempfile::tempdir()?;
        let far = Far::start(&folder.path().join("ca.pem"), namespace)?;
        let quiet = |program: &str| Command::new(program).arg("--version").stdout(Stdio::null()).status().is_ok();
        let lychee = options.peers && quiet("lychee");
        Ok(Self { options, far, folder, lychee, results: String::new(), stages: String::new() })
    }

    /// All programs on the same targets, one after the other, so that the load of the machine is shared.
    fn scenario(&mut self, size: usize, dead: Dead) -> io::Result<()> {
        let targets = Targets { size, dead, wire: self.far.wire, live_port: self.far.live, dead_port: self.far.dead };
        let plan = self.path("plan.json");
        let timeout = self.options.timeout;
        std::fs::write(&plan, targets.plan(timeout).to_json()?)?;
        let (mut ours, mut curl, mut lychee) = (Vec::new(), Vec::new(), Vec::new());
        let mut last = None;
        for run in 0..self.options.runs(size, dead) {
            self.far.truth()?;
            ours.push(self.ours(&plan)?);
            last = Some((self.far.truth()?, self.seen()?));
            // The peers take minutes where targets are many or dead.
            if self.options.peers && size <= 1_000 && (dead == Dead::None || run == 0) {
                curl.extend(self.curl(&targets, timeout)?);
                if self.lychee {
                    lychee.push(self.lychee(&targets, timeout)?);
                }
            }
        }
        let wrong = last.as_ref().map_or(0, |(_, seen)| targets.wrong(seen));
        for (program, costs, wrong) in [("cmcomply", ours, wrong), ("curl -Z", curl, 0), ("lychee", lychee, 0)] {
            if let Some(cost) = measure::median(costs) {
                self.result(program, &targets, cost, wrong);
            }
        }
        if let (Some((truth, seen)), true) = (last, dead != Dead::All) {
            self.fidelity(&targets, truth, &seen);
        }
        Ok(())
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    fn ours(&self, plan: &Path) -> io::Result<Cost> {
        let mut command = Command::new(env!("CARGO_BIN_EXE_cmcomply"));
        command.arg("probe").arg("--plan").arg(plan).arg("-o").arg(self.path("seen.json"));
        command.arg("--dns-server").arg(&self.far.names).arg("--ca-file").arg(self.path("ca.pem"));
        command.stdout(Stdio::null()).stderr(Stdio::null());
        let cost = measure::run(&mut command)?;
        if cost.code != Some(0) {
            return Err(io::Error::other(format!("cmcomply ended with {:?}", cost.code)));
        }
        Ok(cost)
    }

    fn seen(&self) -> io::Result<Vec<Observation>> {
        let document: Observations = serde_json::from_slice(&std::fs::read(self.path("seen.json"))?)?;
        Ok(document.observations)
    }

    /// As many at once as curl allows, the chain kept, names given.
    fn curl(&self, targets: &Targets, timeout: Duration) -> io::Result<Option<Cost>> {
        let mut config = "silent\nhead\nparallel\nparallel-immediate\nparallel-max = 300\nhttp1.1\n".to_owned();
        let _ = writeln!(config, "connect-timeout = {}", timeout.as_secs());
        let _ = writeln!(config, "cacert = \"{}\"", self.path("ca.pem").display());
        let _ = writeln!(config, "write-out = \"%{{certs}}%{{time_connect}} %{{time_appconnect}} %{{http_code}}\\n\"");
        for (name, address, port) in targets.all() {
            let _ = writeln!(config, "url = \"https://{name}:{port}/\"\noutput = \"/dev/null\"");
            let _ = writeln!(config, "resolve = \"{name}:{port}:{address}\"");
        }
        std::fs::write(self.path("curl.conf"), config)?;
        let mut command = Command::new("curl");
        command.arg("--config").arg(self.path("curl.conf")).env_remove("HTTPS_PROXY").env_remove("https_proxy");
        command.stdout(std::fs::File::create(self.path("curl.out"))?).stderr(Stdio::null());
        match measure::run(&mut command) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            cost => cost.map(Some),
        }
    }

    /// As many at once as the targets need, by address, without a look at certificates.
    fn lychee(&self, targets: &Targets, timeout: Duration) -> io::Result<Cost> {
        let list =
            targets.all().fold(String::new(), |list, (_, address, port)| format!("{list}https://{address}:{port}/\n"));
        std::fs::write(self.path("list.txt"), list)?;
        let mut command = Command::new("lychee");
        command.args(["--no-progress", "--insecure", "--max-concurrency", "1000", "--max-retries", "0"]);
        command.args(["--method", "head", "--timeout", &timeout.as_secs().to_string()]).arg(self.path("list.txt"));
        command.stdout(Stdio::null()).stderr(Stdio::null());
        measure::run(&mut command)
    }

    fn result(&mut self, program: &str, targets: &Targets, cost: Cost, wrong: usize) {
        let floor = targets.dead.floor(self.far.rounds(), self.options.timeout);
        let _ = writeln!(
            self.results,
            "{:>6} {:8}  {program:8}  {:>8.3} s {:>8.3} s {:>6.2} {:>8.2} ms {:>7.1} MB {:>6}  {:>5}",
            targets.size,
            targets.dead.title(),
            cost.wall.as_secs_f64(),
            floor.as_secs_f64(),
            cost.wall.as_secs_f64() / floor.as_secs_f64(),
            cost.cpu.as_secs_f64() * 1000.0 / as_f64(targets.size),
            as_f64(usize::try_from(cost.peak).unwrap_or(0)) / 1024.0,
            if program == "cmcomply" { wrong.to_string() } else { "-".to_owned() },
            measure::load(),
        );
        println!("{}", self.results.lines().last().unwrap_or_default());
    }

    /// What the healthy targets say of each stage, against what the far side knows.
    fn fidelity(&mut self, targets: &Targets, truth: [u64; 4], seen: &[Observation]) {
        let healthy = || seen.iter().filter(|o| o.reached());
        let stages: [(&str, u64, Vec<u64>); 5] = [
            ("DNS", truth[0], healthy().filter_map(|o| o.name.took_us).collect()),
            ("TCP", truth[3], healthy().filter_map(|o| o.tcp.took_us).collect()),
            ("TLS", truth[1], healthy().filter_map(|o| o.tls.took_us).collect()),
            ("trust", 0, healthy().filter_map(|o| o.trust.took_us).collect()),
            ("HTTP", truth[2], healthy().filter_map(|o| o.http.took_us).collect()),
        ];
        let millis = |us: u64| Duration::from_micros(us).as_secs_f64() * 1000.0;
        for (stage, truth, mut times) in stages {
            let (p50, p99) = (percentile(&mut times, 50), percentile(&mut times, 99));
            let off = if truth > 0 {
                format!("{:+6.1} %", (millis(p50) / millis(truth) - 1.0) * 100.0)
            } else {
                String::new()
            };
            let line = format!(
                "{:>6} {:8}  {stage:8}  {:>7.1} ms {:>7.1} ms {:>7.1} ms  {off}",
                targets.size,
                targets.dead.title(),
                millis(truth),
                millis(p50),
                millis(p99),
            );
            let _ = writeln!(self.stages, "{}", line.trim_end());
        }
    }

    fn report(&self) {
        let cores = std::thread::available_parallelism().map_or(0, std::num::NonZero::get);
        println!(
            "\nRound trip {ROUND_TRIP:?}, timeout {:?}, {cores} cores, medians.{}",
            self.options.timeout,
            if self.lychee { "" } else { " lychee is not installed (or --no-peers), so it was not measured." }
        );
        let rounds = self.far.rounds();
        let loopback = if self.far.wire { "" } else { " (TCP on loopback takes none)" };
        println!("Floor: {rounds} rounds{loopback}; with dead targets the timeout and one round.\n");
        println!("   targets       program        wall      floor  ratio CPU/target       peak  wrong   load");
        println!("{}", self.results);
        println!("   targets       stage         truth        p50        p99  p50 off");
        println!("{}", self.stages);
    }
}

/// The targets of one scenario.
struct Targets {
    size: usize,
    dead: Dead,
    wire: bool,
    live_port: u16,
    dead_port: u16,
}

impl Targets {
    fn all(&self) -> impl Iterator<Item = (String, std::net::Ipv4Addr, u16)> {
        (0..self.size).map(|number| {
            let dead = self.dead.is_dead(number);
            let (name, address) = server::target(number, dead, self.wire);
            // On a wire it is the address that is dead.
            (name, address, if dead && !self.wire { self.dead_port } else { self.live_port })
        })
    }

    fn plan(&self, timeout: Duration) -> PlanDocument {
        let probe = |(name, _, port): (String, _, u16)| {
            let host = HostName::parse(&name).expect("the names are made here");
            let target = Target { scheme: Scheme::Https, host, port, path: "/".to_owned() };
            let id = ProbeId(target.to_string());
            Probe {
                id,
                target,
                via: Via::Direct,
                contexts: BTreeSet::new(),
                requirements: Vec::new(),
                asks: cmcomply::plan::Asks::default(),
            }
        };
        let stage_timeout_ms = u64::try_from(timeout.as_millis()).unwrap_or(u64::MAX);
        // As the command line has them.
        let bounds =
            PlanBounds { stage_timeout_ms, deadline_ms: 300_000, probes_at_once: 1024, addresses: 8, retries: 1 };
        PlanDocument::new(None, bounds, self.all().map(probe).collect())
    }

    /// Observations that are not the truth: a healthy target not reached, or a dead one not silent.
    fn wrong(&self, seen: &[Observation]) -> usize {
        let right = |(number, observation): &(usize, &Observation)| {
            if self.dead.is_dead(*number) { observation.tcp.outcome == Outcome::Failed } else { observation.reached() }
        };
        self.size - seen.iter().enumerate().filter(right).count()
    }
}

/// The process that plays the far side.
struct Far {
    wire: bool,
    child: Child,
    said: BufReader<ChildStdout>,
    names: String,
    live: u16,
    dead: u16,
}

impl Far {
    fn start(ca: &Path, namespace: Option<String>) -> io::Result<Self> {
        let (wire, this) = (namespace.is_some(), std::env::current_exe()?);
        let mut command = Command::new(if wire { "ip".as_ref() } else { this.as_path() });
        if let Some(namespace) = namespace {
            command.args(["netns", "exec", &namespace]).arg(this);
        }
        let mut child = command.arg("--far-side").stdin(Stdio::piped()).stdout(Stdio::piped()).spawn()?;
        let mut said = BufReader::new(child.stdout.take().ok_or_else(|| io::Error::other("no pipe"))?);
        let mut line = || -> io::Result<String> {
            let mut line = String::new();
            said.read_line(&mut line)?;
            Ok(line.trim_end().to_owned())
        };
        let (places, root) = (line()?, line()?);
        std::fs::write(ca, root.replace('|', "\n"))?;
        if line()? != "ready" {
            return Err(io::Error::other("the far side did not start"));
        }
        let mut places = places.split(' ');
        let names = places.next().unwrap_or_default().to_owned();
        let mut port = || places.next().and_then(|port| port.parse().ok()).ok_or_else(|| io::Error::other("no port"));
        let (live, dead) = (port()?, port()?);
        Ok(Self { wire, child, said, names, live, dead })
    }

    /// Rounds that take time: DNS, TCP, TLS 1.3, HTTP.
    fn rounds(&self) -> u32 {
        if self.wire { 4 } else { 3 }
    }

    /// How long DNS, TLS, HTTP and TCP took in the median since the last call, in microseconds, as far as the far side
    /// and the wire know.
    fn truth(&mut self) -> io::Result<[u64; 4]> {
        let pipe = self.child.stdin.as_mut().ok_or_else(|| io::Error::other("no pipe"))?;
        pipe.write_all(b"\n")?;
        pipe.flush()?;
        let mut line = String::new();
        self.said.read_line(&mut line)?;
        let mut numbers = line.split_whitespace().map(|number| number.parse().unwrap_or(0));
        let told = std::array::from_fn(|_| numbers.next().unwrap_or(0));
        Ok(if self.wire { [u64::try_from(ROUND_TRIP.as_micros()).unwrap_or(u64::MAX); 4] } else { told })
    }
}

impl Drop for Far {
    fn drop(&mut self) {
        drop(self.child.stdin.take());
        let _ = self.child.wait();
    }
}

fn say(text: &str) {
    println!("{text}");
}

/// 0 of nothing.
fn percentile(times: &mut [u64], percent: usize) -> u64 {
    times.sort_unstable();
    times.get((times.len() * percent / 100).min(times.len().saturating_sub(1))).copied().unwrap_or(0)
}

#[expect(clippy::cast_precision_loss, reason = "small numbers")]
fn as_f64(number: usize) -> f64 {
    number as f64
}
