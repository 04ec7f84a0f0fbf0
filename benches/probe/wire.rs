//! A wire with a length: two network namespaces, joined by a relay that holds every packet for half a round trip and
//! drops those for dead targets. Unlike delays in a server it also delays the kernel's own part, the opening of TCP.
//!
//! It takes root, `ip` and `/dev/net/tun`; whoever lacks one of them measures on loopback.

use std::collections::VecDeque;
use std::io;
use std::process::{Command, ExitStatus, Stdio};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Condvar, Mutex, PoisonError};
use std::time::{Duration, Instant};

use tun_rs::{DeviceBuilder, SyncDevice};

/// Names the far namespace to the process in the near one.
pub(crate) const FAR: &str = "CMCOMPLY_BENCH_FAR";

/// Runs this program again in the near namespace, as far as this machine allows.
pub(crate) fn run_inside(arguments: &[String], round_trip: Duration) -> io::Result<ExitStatus> {
    let id = std::process::id();
    let (near, far) = (Namespace(format!("cmcomply-near-{id}")), Namespace(format!("cmcomply-far-{id}")));
    let [here, there] = [(&near, "10.76.0.1/32", "n"), (&far, "10.76.0.2/32", "f")].map(|(namespace, address, end)| {
        let name = format!("cmb{end}{id}");
        let device = DeviceBuilder::new().name(&name).mtu(1500).build_sync()?;
        ip(&["netns", "add", &namespace.0])?;
        // The device goes into the namespace, and our hold on it stays here.
        ip(&["link", "set", &name, "netns", &namespace.0])?;
        namespace.ip(&["link", "set", "lo", "up"])?;
        namespace.ip(&["link", "set", &name, "txqueuelen", "20000", "up"])?;
        namespace.ip(&["address", "add", address, "dev", &name])?;
        namespace.ip(&["route", "add", "default", "dev", &name])?;
        Ok::<_, io::Error>(Arc::new(device))
    });
    let (here, there) = (here?, there?);
    // Every address of the live targets is the far side's own.
    far.ip(&["route", "add", "local", "10.77.0.0/16", "dev", "lo"])?;
    far.run(&["sh", "-c", "echo 16384 > /proc/sys/net/ipv4/tcp_max_syn_backlog"])?;
    let mut late = Vec::new();
    for (from, to) in [(&here, &there), (&there, &here)] {
        late.push(relay(Arc::clone(from), Arc::clone(to), round_trip / 2));
    }
    let mut again = Command::new("ip");
    again.args(["netns", "exec", &near.0]).arg(std::env::current_exe()?).args(arguments).env(FAR, &far.0);
    let ended = again.status()?;
    for (way, late) in ["there", "back"].into_iter().zip(late) {
        let (packets, total) = (late.packets.load(Ordering::Relaxed), late.total_us.load(Ordering::Relaxed));
        super::say(&format!(
            "The wire {way}: {packets} packets, each {} us later than it should, on average",
            total / packets.max(1)
        ));
    }
    Ok(ended)
}

/// How much later than asked packets left.
#[derive(Default)]
struct Late {
    packets: AtomicU64,
    total_us: AtomicU64,
}

#[derive(Default)]
struct Queue {
    packets: Mutex<VecDeque<(Instant, Vec<u8>)>>,
    more: Condvar,
}

/// Hands packets on, in order, each after `delay`. Both threads end with the process.
fn relay(from: Arc<SyncDevice>, to: Arc<SyncDevice>, delay: Duration) -> Arc<Late> {
    let (queue, late) = (Arc::new(Queue::default()), Arc::new(Late::default()));
    let filled = Arc::clone(&queue);
    std::thread::spawn(move || {
        let mut buffer = [0; 2048];
        while let Ok(length) = from.recv(&mut buffer) {
            let packet = &buffer[..length];
            if !is_dropped(packet) {
                let mut packets = filled.packets.lock().unwrap_or_else(PoisonError::into_inner);
                packets.push_back((Instant::now() + delay, packet.to_vec()));
                filled.more.notify_one();
            }
        }
    });
    let counted = Arc::clone(&late);
    std::thread::spawn(move || {
        loop {
            let mut packets = queue.packets.lock().unwrap_or_else(PoisonError::into_inner);
            while packets.is_empty() {
                packets = queue.more.wait(packets).unwrap_or_else(PoisonError::into_inner);
            }
            let Some((due, packet)) = packets.pop_front() else { continue };
            drop(packets);
            std::thread::sleep(due.saturating_duration_since(Instant::now()));
            let _ = to.send(&packet);
            let us = u64::try_from(due.elapsed().as_micros()).unwrap_or(u64::MAX);
            counted.total_us.fetch_add(us, Ordering::Relaxed);
            counted.packets.fetch_add(1, Ordering::Relaxed);
        }
    });
    late
}

/// IPv6 chatter, and what goes to a dead target.
fn is_dropped(packet: &[u8]) -> bool {
    packet.first().is_none_or(|first| first >> 4 != 4) || packet.get(16..18) == Some(&super::DEAD_NETWORK)
}

/// Removed with all that is in it when dropped.
struct Namespace(String);

impl Namespace {
    fn ip(&self, arguments: &[&str]) -> io::Result<()> {
        ip(&[&["-n", &self.0], arguments].concat())
    }

    fn run(&self, arguments: &[&str]) -> io::Result<()> {
        ip(&[&["netns", "exec", &self.0], arguments].concat())
    }
}

impl Drop for Namespace {
    fn drop(&mut self) {
        let _ = Command::new("ip").args(["netns", "del", &self.0]).stderr(Stdio::null()).status();
    }
}

fn ip(arguments: &[&str]) -> io::Result<()> {
    let done = Command::new("ip").args(arguments).stdin(Stdio::null()).output()?;
    if done.status.success() {
        return Ok(());
    }
    let said = String::from_utf8_lossy(&done.stderr).trim().to_owned();
    Err(io::Error::other(format!("ip {}: {said}", arguments.join(" "))))
}
