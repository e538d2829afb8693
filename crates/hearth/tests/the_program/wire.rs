//! Wires between network namespaces: each place of a home in a network of its own, and a relay of ours between them,
//! which loses and delays what passes and keeps a copy of it.
//!
//! ```text
//!   place 1 = the test's own network   v1 ══ w1 ┐
//!   place 2                            v2 ══ w2 ├ the relay's network: one socket sees all, sends to each
//!   place 3                            v3 ══ w3 ┘
//! ```
//! The programs reach nothing beyond 127.0.0.0/8, and keep that: what is changed is where those addresses lie. In each
//! place 127.1.0.N is the place's own, the rest of 127.1.0.0/24 is reached by its wire (`route_localnet`), so every
//! packet between two programs is one on a wire. This kernel has no `netem`; the relay is why none is needed.
use std::collections::{BinaryHeap, HashMap};
use std::net::Ipv4Addr;
use std::os::fd::{AsFd as _, OwnedFd};
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex, mpsc};
use std::time::{Duration, Instant};

use rustix::net::{
    AddressFamily, RecvFlags, SendFlags, SocketAddrAny, SocketType, eth, recvfrom, sendto, socket,
};
use rustix::thread::{LinkNameSpaceType, move_into_link_name_space};

/// The relay's own Ethernet address: what it sends is known by it.
const RELAY: [u8; 6] = [2, 0, 0, 0, 0xff, 0xff];

/// How bad the wires are.
#[derive(Clone, Copy)]
pub(crate) struct Badness {
    /// Of a hundred packets so many are lost.
    pub(crate) lost_percent: u64,
    /// Each waits so long,
    pub(crate) delay: Duration,
    /// and up to so much longer, each its own.
    pub(crate) jitter: Duration,
    /// Of the dice.
    pub(crate) seed: u64,
}

/// What passed.
#[derive(Default)]
struct Passed {
    /// Frames as they came, the lost ones too.
    frames: Mutex<Vec<Vec<u8>>>,
    lost: AtomicU32,
}

/// Places and what joins them. Dropping it ends the places.
pub(crate) struct Wires {
    holders: Vec<Child>,
    passed: Arc<Passed>,
}

impl Wires {
    /// `places` of them, the first being the network of this very process.
    pub(crate) fn lay(places: usize, badness: Badness) -> Self {
        let hold = || {
            Command::new("unshare")
                .args(["-n", "sleep", "200"])
                .stdin(Stdio::null())
                .spawn()
                .unwrap()
        };
        // The relay's comes first, then those of the places after the first.
        let wires = Self {
            holders: (0..places).map(|_| hold()).collect(),
            passed: Arc::default(),
        };
        let own_network = std::fs::read_link("/proc/self/ns/net").unwrap();
        for holder in &wires.holders {
            let network = format!("/proc/{}/ns/net", holder.id());
            while std::fs::read_link(&network).is_ok_and(|network| network == own_network) {
                std::thread::sleep(Duration::from_millis(5));
            }
        }
        let relay = wires.holders[0].id();
        for place in 1..=places {
            let owner = wires.owner(place);
            let script = format!(
                "ip link add v{place} type veth peer name w{place} && ip link set w{place} up && \
                 ip link set v{place} netns {owner}"
            );
            run(relay, &script);
        }
        wires.relay(badness);
        for place in 1..=places {
            // Frames are addressed by the relay, so nobody is asked where an address is. The last line is for the relay: it
            // learns where the place's wire is from a frame of it.
            let script = format!(
                "ip link set lo up
                 ip address delete 127.0.0.1/8 dev lo
                 ip address add 127.0.0.1/32 dev lo
                 ip address add 127.1.0.{place}/32 dev lo
                 cd /proc/sys/net/ipv4/conf
                 echo 1 > all/route_localnet
                 echo 0 > all/rp_filter
                 echo 0 > v{place}/rp_filter
                 ip link set v{place} address 02:00:00:00:00:0{place} arp off gso_max_segs 1
                 ip link set v{place} up
                 ip route add 127.1.0.0/24 dev v{place} src 127.1.0.{place}
                 ip route add default dev v{place} src 127.1.0.{place}
                 bash -c 'echo here > /dev/udp/127.1.0.200/9'"
            );
            run(wires.owner(place), &script);
        }
        wires
    }

    /// The process whose network is that of a place.
    fn owner(&self, place: usize) -> u32 {
        match place {
            1 => std::process::id(),
            _ => self.holders[place - 1].id(),
        }
    }

    /// A command that runs `program` at a place.
    pub(crate) fn at(&self, place: usize, program: &str) -> Command {
        let mut command = Command::new("nsenter");
        command.args(["-t", &self.owner(place).to_string(), "-n", program]);
        command
    }

    /// The network of a place changes: it is reached at 127.1.0.`to` from now on, and no longer where it was. `to` ends with
    /// the place's own digit.
    pub(crate) fn moves(&self, place: usize, to: u8) {
        let script = format!(
            "ip address add 127.1.0.{to}/32 dev lo
             ip route replace 127.1.0.0/24 dev v{place} src 127.1.0.{to}
             ip route replace default dev v{place} src 127.1.0.{to}
             ip address delete 127.1.0.{place}/32 dev lo"
        );
        run(self.owner(place), &script);
    }

    /// The frames that have passed since the last time, and how many of them were lost.
    pub(crate) fn take(&self) -> (Vec<Vec<u8>>, u32) {
        let frames = core::mem::take(&mut *self.passed.frames.lock().unwrap());
        (frames, self.passed.lost.swap(0, Ordering::Relaxed))
    }

    fn relay(&self, badness: Badness) {
        let network = std::fs::File::open(format!("/proc/{}/ns/net", self.holders[0].id()));
        let network = network.unwrap();
        let passed = self.passed.clone();
        let (ready, is_ready) = mpsc::channel();
        std::thread::spawn(move || {
            // This thread alone: its sockets are of that network.
            let kind = Some(LinkNameSpaceType::Network);
            move_into_link_name_space(network.as_fd(), kind).unwrap();
            let wire = socket(AddressFamily::PACKET, SocketType::RAW, Some(eth::ALL)).unwrap();
            let wire = Arc::new(wire);
            ready.send(()).unwrap();
            let (sender, frames) = mpsc::channel();
            let reads = wire.clone();
            std::thread::spawn(move || read(&reads, &sender));
            pass(&wire, &frames, &passed, badness);
        });
        is_ready.recv().unwrap();
    }
}

impl Drop for Wires {
    fn drop(&mut self) {
        for holder in &mut self.holders {
            let _ = holder.kill();
            let _ = holder.wait();
        }
    }
}

fn run(owner: u32, script: &str) {
    let ran = Command::new("nsenter")
        .args(["-t", &owner.to_string(), "-n", "sh", "-e", "-c", script])
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&ran.stderr);
    assert!(ran.status.success(), "{script}: {said}");
}

/// A frame, and by which interface it came.
type Came = (Vec<u8>, SocketAddrAny);

fn read(wire: &OwnedFd, sender: &mpsc::Sender<Came>) {
    let mut buffer = vec![0; 65_536];
    while let Ok((_, length, Some(from))) = recvfrom(wire, &mut buffer[..], RecvFlags::empty()) {
        let frame = &buffer[..length.min(buffer.len())];
        // IPv4, and not what the relay itself has sent.
        let wanted = frame.len() >= 34 && frame[12..14] == [8, 0] && frame[6..12] != RELAY;
        if wanted && sender.send((frame.to_vec(), from)).is_err() {
            return;
        }
    }
}

/// A frame that waits; the one that is due first is the greatest.
struct Waiting {
    due: Instant,
    count: u64,
    place: u8,
    frame: Vec<u8>,
}

impl Ord for Waiting {
    fn cmp(&self, other: &Self) -> core::cmp::Ordering {
        (other.due, other.count).cmp(&(self.due, self.count))
    }
}

impl PartialOrd for Waiting {
    fn partial_cmp(&self, other: &Self) -> Option<core::cmp::Ordering> {
        Some(self.cmp(other))
    }
}

impl PartialEq for Waiting {
    fn eq(&self, other: &Self) -> bool {
        self.cmp(other).is_eq()
    }
}

impl Eq for Waiting {}

fn pass(wire: &OwnedFd, frames: &mpsc::Receiver<Came>, passed: &Passed, badness: Badness) {
    let mut interfaces = HashMap::new();
    let mut waiting = BinaryHeap::new();
    let mut dice = badness.seed;
    let mut count = 0;
    loop {
        let now = Instant::now();
        while waiting.peek().is_some_and(|next: &Waiting| next.due <= now) {
            let Some(Waiting { place, frame, .. }) = waiting.pop() else {
                break;
            };
            if let Some(interface) = interfaces.get(&place) {
                let _ = sendto(wire, &frame, SendFlags::empty(), interface);
            }
        }
        let rest = waiting.peek().map_or(Duration::from_secs(1), |next| {
            next.due.saturating_duration_since(now)
        });
        let (mut frame, from) = match frames.recv_timeout(rest) {
            Ok(came) => came,
            Err(mpsc::RecvTimeoutError::Timeout) => continue,
            Err(mpsc::RecvTimeoutError::Disconnected) => return,
        };
        let to = Ipv4Addr::new(frame[30], frame[31], frame[32], frame[33]).octets();
        interfaces.insert(frame[11], from);
        if to[..3] != [127, 1, 0] {
            continue;
        }
        // 127.1.0.12 is a second address of the place 2.
        let place = to[3] % 10;
        passed.frames.lock().unwrap().push(frame.clone());
        if below(&mut dice, 100) < badness.lost_percent {
            passed.lost.fetch_add(1, Ordering::Relaxed);
            continue;
        }
        frame[..6].copy_from_slice(&[2, 0, 0, 0, 0, place]);
        frame[6..12].copy_from_slice(&RELAY);
        sum(&mut frame);
        let jitter_us = u64::try_from(badness.jitter.as_micros()).unwrap();
        let longer = Duration::from_micros(below(&mut dice, jitter_us + 1));
        count += 1;
        waiting.push(Waiting {
            due: Instant::now() + badness.delay + longer,
            count,
            place,
            frame,
        });
    }
}

/// A number below `end` (splitmix64).
fn below(dice: &mut u64, end: u64) -> u64 {
    *dice = dice.wrapping_add(0x9e37_79b9_7f4a_7c15);
    let mut mixed = *dice;
    mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    (mixed ^ (mixed >> 31)) % end
}

/// The sums of TCP and UDP: the sender's kernel leaves them to the interface, which leaves them to nobody.
fn sum(frame: &mut [u8]) {
    let ip = 14;
    let header = usize::from(frame[ip] & 0xf) * 4;
    let total = usize::from(u16::from_be_bytes([frame[ip + 2], frame[ip + 3]]));
    let protocol = frame[ip + 9];
    let at = match protocol {
        6 => 16,
        17 => 6,
        _ => return,
    };
    let (start, end) = (ip + header, ip + total);
    if end > frame.len() || start + at + 2 > end {
        return;
    }
    frame[start + at..start + at + 2].fill(0);
    if protocol == 17 {
        // None is a sum too (RFC 768).
        return;
    }
    let words = |bytes: &[u8]| -> u32 {
        bytes
            .chunks(2)
            .map(|pair| {
                u32::from(u16::from_be_bytes([
                    pair[0],
                    pair.get(1).copied().unwrap_or(0),
                ]))
            })
            .sum()
    };
    let length = u32::try_from(end - start).unwrap();
    let mut all = words(&frame[ip + 12..ip + 20]) + 6 + length + words(&frame[start..end]);
    while all > 0xffff {
        all = (all & 0xffff) + (all >> 16);
    }
    let all = !u16::try_from(all).unwrap();
    frame[start + at..start + at + 2].copy_from_slice(&all.to_be_bytes());
}
