//! A device that lives through one emergency drill, and an attacker's tools.
#![allow(clippy::unwrap_used, reason = "in a test a panic is the answer")]
#![allow(
    dead_code,
    unreachable_pub,
    missing_docs,
    reason = "each test file uses its own part"
)]

use std::time::Duration;

use ed25519_dalek::{Signer as _, SigningKey};
use hearthline_ledger::*;

pub const ORIGIN: &str = "hub.example/device/7";
pub const WITNESS: &str = "hub.example/witness";
pub const WALL: u64 = 1_795_356_000_000;
pub const IDENTITY: [u8; 32] = [1; 32];
pub const WITNESS_SECRET: [u8; 32] = [9; 32];
pub const RATE: u32 = 16_000;

pub fn identity() -> IdentityKey {
    IdentityKey::from_secret(&IDENTITY)
}

pub fn epoch_seed(number: u8) -> [u8; 32] {
    [100 + number; 32]
}

pub fn public_of(secret: &[u8; 32]) -> PublicKey {
    PublicKey::from_bytes(&SigningKey::from_bytes(secret).verifying_key().to_bytes()).unwrap()
}

pub fn setup(boot: u8, epoch: u8, previous: Option<u8>) -> Setup {
    Setup {
        origin: ORIGIN.to_owned(),
        identity: identity(),
        epoch_seed: epoch_seed(epoch),
        previous_epoch_seed: previous.map(epoch_seed),
        boot: BootId([boot; 16]),
        software: "hearth 0.1.0".to_owned(),
        firmware: None,
        previous_segment: None,
    }
}

pub fn incident() -> IncidentId {
    "2026-11-22-a1".parse().unwrap()
}

pub fn stamp(ms: u64) -> Stamp {
    Stamp {
        now: Duration::from_millis(ms),
        sample: Some(ms * 16),
        wall_ms: Some(WALL + ms),
    }
}

/// A log with the file that an adapter would have written.
pub struct Device {
    pub log: Log,
    pub stored: Vec<u8>,
    pub ms: u64,
    pub heads: Vec<Vec<u8>>,
}

impl Device {
    pub fn new() -> Self {
        let (log, writes) = Log::create(setup(1, 0, None), stamp(0)).unwrap();
        let mut device = Self {
            log,
            stored: Vec::new(),
            ms: 0,
            heads: Vec::new(),
        };
        for write in writes {
            device.stored.extend(write.bytes);
        }
        device.checkpoint();
        device
    }

    pub fn say(&mut self, body: impl Into<Body>, incident: Option<&IncidentId>) -> u64 {
        self.ms += 10;
        let append = self
            .log
            .append(body, stamp(self.ms), incident, false)
            .unwrap();
        self.stored.extend(append.bytes);
        append.seq
    }

    pub fn checkpoint(&mut self) -> Vec<u8> {
        let head = self.log.checkpoint(stamp(self.ms)).unwrap();
        self.stored.extend(head.bytes);
        self.heads.push(head.note.clone());
        head.note
    }

    pub fn rotate(&mut self, epoch: u8) {
        self.ms += 10;
        let closing = self
            .log
            .rotate_epoch(&epoch_seed(epoch), stamp(self.ms))
            .unwrap();
        self.stored.extend(closing.bytes);
        self.heads.push(closing.note);
        self.checkpoint();
    }
}

/// The time a witness would cosign at, seconds.
pub fn witness_time(ms: u64) -> u64 {
    (WALL + ms).div_ceil(1000)
}

pub fn cosigned(note: &[u8], time: u64) -> Vec<u8> {
    let mut note = Note::parse(note).unwrap();
    let line = cosign(&note, WITNESS, &WITNESS_SECRET, time).unwrap();
    note.add_signature(line).unwrap();
    note.to_bytes()
}

pub fn witness_key() -> NoteKey {
    NoteKey::witness(WITNESS, public_of(&WITNESS_SECRET)).unwrap()
}

/// Knows the device by its enrolment card, and the witness.
pub fn county_policy() -> TrustPolicy {
    let text = format!(
        "# county\ndevice {}\nwitness hub {} https://hub.example\nquorum hub\n",
        identity().key_id(),
        witness_key().to_vkey()
    );
    TrustPolicy::parse(&text).unwrap()
}

pub fn everyday(device: &mut Device, count: usize) {
    for number in 0..count {
        device.say(
            Intent {
                name: "timer".into(),
                rule: format!("timer-{number}"),
                slots: [("minutes".to_owned(), "5".into())].into(),
                evidence: Default::default(),
            },
            None,
        );
    }
}

/// Everything an incident has, and its bundle.
pub struct Story {
    pub device: Device,
    pub audio: Vec<AudioChunk>,
    pub cosigned: Vec<Vec<u8>>,
}

impl Story {
    /// `seconds` of sound on the microphone.
    pub fn new(seconds: usize) -> Self {
        let mut device = Device::new();
        everyday(&mut device, 5);
        let head = device.checkpoint();
        // The witness answers, and its answer goes into the log: from here on it is later than that.
        let answer = cosigned(&head, witness_time(0));
        device.say(
            Time {
                source: "witness".into(),
                wall_ms: witness_time(0) * 1000,
                uncertainty_ms: None,
                step_ms: None,
                cosigned: Some(String::from_utf8(answer).unwrap()),
            },
            None,
        );
        device.rotate(1);
        let id = incident();
        device.ms += 5000;
        let mut salt = 0u8;
        let mut committer = Committer::new(Stream::microphone(), RATE, 80_000);
        let sound: Vec<i16> = (0..seconds * RATE as usize + 4000)
            .map(|n| ((n * 7919) % 20_011) as i16 - 10_000)
            .collect();
        let mut audio = committer.push(&sound, || {
            salt = salt.wrapping_add(1);
            [salt; SALT_BYTES]
        });
        audio.extend(committer.finish([200; SALT_BYTES]));
        for chunk in &audio {
            let body = Capture {
                stream: chunk.stream.clone(),
                rate_hz: RATE,
                chunks: vec![chunk.commitment()],
            };
            device.say(body, Some(&id));
        }
        device.say(
            Wake {
                keyword: "alexa".into(),
                score: 0.98,
                threshold: 0.5,
                at_sample: 80_000,
            },
            Some(&id),
        );
        device.say(
            Transcript {
                text: "call nine one one".into(),
                first_sample: 80_000,
                end_sample: 100_000,
                model: "moonshine-tiny".into(),
                readings: vec![Reading {
                    text: "<call> 911 & \"more\"".into(),
                    log_prob: -3.25,
                }],
            },
            Some(&id),
        );
        device.say(
            Decision {
                outcome: Outcome::Emergency,
                mode: DecisionMode::Announced,
                reason: "imperative-number".into(),
                service: Some("urn:service:sos".into()),
                window_ms: Some(5000),
            },
            Some(&id),
        );
        device.checkpoint();
        everyday(&mut device, 3);
        let call = |event, status| Call {
            event,
            call_id: "drill-1@device.invalid".into(),
            line: "drill".into(),
            status,
            reason: None,
            peer: Some("urn:service:sos".into()),
        };
        device.say(call(CallEvent::Invite, None), Some(&id));
        device.checkpoint();
        device.say(call(CallEvent::Answered, Some(200)), Some(&id));
        device.checkpoint();
        device.say(
            Late {
                entries: vec![20],
                limit_ms: 50,
            },
            Some(&id),
        );
        device.say(
            End {
                outcome: "answered".into(),
                reason: "call-taker".into(),
                call_ms: Some(61_000),
            },
            Some(&id),
        );
        let close = device.checkpoint();
        let cosigned = vec![cosigned(&close, witness_time(device.ms + 2000))];
        device.rotate(2);
        everyday(&mut device, 2);
        Self {
            device,
            audio,
            cosigned,
        }
    }

    pub fn bundle(&self) -> Vec<u8> {
        self.export(&self.audio, &self.cosigned).unwrap().bytes
    }

    pub fn unwitnessed(&self) -> Vec<u8> {
        self.export(&self.audio, &[]).unwrap().bytes
    }

    pub fn export(
        &self,
        audio: &[AudioChunk],
        cosigned: &[Vec<u8>],
    ) -> Result<Bundle, BundleError> {
        let id = incident();
        let request = ExportRequest {
            incident: &id,
            audio,
            cosigned,
            exported_ms: Some(WALL + 99_000),
        };
        self.device.log.export(&self.device.stored, &request)
    }
}

/// A bundle taken apart: the attacker's workbench.
#[derive(Clone)]
pub struct Parts(pub Vec<(String, Vec<u8>)>);

impl Parts {
    pub fn of(bundle: &[u8]) -> Self {
        use std::io::Read as _;
        let mut archive = zip::ZipArchive::new(std::io::Cursor::new(bundle)).unwrap();
        let mut files = Vec::new();
        for index in 0..archive.len() {
            let mut file = archive.by_index(index).unwrap();
            let mut bytes = Vec::new();
            file.read_to_end(&mut bytes).unwrap();
            files.push((file.name().unwrap().into_owned(), bytes));
        }
        Self(files)
    }

    pub fn get(&self, name: &str) -> &[u8] {
        &self
            .0
            .iter()
            .find(|(found, _)| found == name)
            .unwrap_or_else(|| panic!("no {name}"))
            .1
    }

    pub fn text(&self, name: &str) -> String {
        String::from_utf8(self.get(name).to_vec()).unwrap()
    }

    pub fn set(&mut self, name: &str, bytes: impl Into<Vec<u8>>) {
        let bytes = bytes.into();
        match self.0.iter_mut().find(|(found, _)| found == name) {
            Some((_, old)) => *old = bytes,
            None => self.0.insert(self.0.len() - 1, (name.to_owned(), bytes)),
        }
    }

    pub fn edit(&mut self, name: &str, change: impl FnOnce(String) -> String) {
        let text = change(self.text(name));
        self.set(name, text);
    }

    pub fn lines(&mut self, name: &str, change: impl FnOnce(&mut Vec<String>)) {
        self.edit(name, |text| {
            let mut lines: Vec<String> = text.lines().map(str::to_owned).collect();
            change(&mut lines);
            lines.into_iter().map(|line| line + "\n").collect()
        });
    }

    /// Writes the manifest anew for the changed files and signs it with a stolen or own key.
    pub fn reseal(&mut self, secret: &[u8; 32]) {
        let old = self.text("manifest.note");
        let head: String = old
            .lines()
            .take_while(|line| !line.starts_with("file "))
            .map(|line| format!("{line}\n"))
            .collect();
        let mut text = head;
        for (name, bytes) in self.0.iter().filter(|(name, _)| name != "manifest.note") {
            text.push_str(&format!(
                "file {} {} {name}\n",
                Hash::of(&[bytes]),
                bytes.len()
            ));
        }
        self.set("manifest.note", signed(&text, secret));
    }

    /// Packs the files in the spelling of bundles: a second writer, independent of the crate's.
    pub fn pack(&self) -> Vec<u8> {
        let mut zip = Vec::new();
        let mut central = Vec::new();
        for (name, bytes) in &self.0 {
            let mut fields = vec![0u8; 6];
            fields.extend([0x21, 0]);
            fields.extend(crc(bytes).to_le_bytes());
            fields.extend((bytes.len() as u32).to_le_bytes());
            fields.extend((bytes.len() as u32).to_le_bytes());
            fields.extend((name.len() as u16).to_le_bytes());
            fields.extend([0, 0]);
            central.extend(b"PK\x01\x02\x0a\0\x0a\0");
            central.extend(&fields);
            central.extend([0; 10]);
            central.extend((zip.len() as u32).to_le_bytes());
            central.extend(name.as_bytes());
            zip.extend(b"PK\x03\x04\x0a\0");
            zip.extend(&fields);
            zip.extend(name.as_bytes());
            zip.extend(bytes);
        }
        let (at, length) = (zip.len() as u32, central.len() as u32);
        zip.extend(central);
        zip.extend(b"PK\x05\x06\0\0\0\0");
        zip.extend((self.0.len() as u16).to_le_bytes());
        zip.extend((self.0.len() as u16).to_le_bytes());
        zip.extend(length.to_le_bytes());
        zip.extend(at.to_le_bytes());
        zip.extend([0, 0]);
        zip
    }
}

fn crc(bytes: &[u8]) -> u32 {
    let mut crc = !0u32;
    for byte in bytes {
        crc ^= u32::from(*byte);
        for _ in 0..8 {
            crc = if crc & 1 == 1 {
                crc >> 1 ^ 0xedb8_8320
            } else {
                crc >> 1
            };
        }
    }
    !crc
}

/// A note signed under the log's name by any key: written by hand, independent of the crate's.
pub fn signed(text: &str, secret: &[u8; 32]) -> Vec<u8> {
    use base64::Engine as _;
    let key = SigningKey::from_bytes(secret);
    let id = Hash::of(&[ORIGIN.as_bytes(), b"\n\x01", key.verifying_key().as_bytes()]);
    let mut bytes = id.0[..4].to_vec();
    bytes.extend(key.sign(text.as_bytes()).to_bytes());
    let line = base64::engine::general_purpose::STANDARD.encode(bytes);
    format!("{text}\n\u{2014} {ORIGIN} {line}\n").into_bytes()
}
