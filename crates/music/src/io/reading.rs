//! A thread that reads and decodes one piece: file, station or song of a server, to 16 kHz.
use std::fs::File;
use std::io::{BufReader, Read};
use std::path::{Path, PathBuf};
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};

use hearthline_speaker::io::recording::{RATE_HZ, Rate, Recording, RecordingError, to_i16};
use tokio::sync::mpsc::UnboundedSender;

use super::http::{self, Certificates};
use crate::mp3::Mp3;
use crate::own::Event;
use crate::own::sound::Part;
use crate::stream::{self, Titles};

/// Blocks that wait for the loudspeaker: about a second.
const PARTS_MAX: usize = 16;

/// Where it comes from.
#[derive(Debug, Clone)]
pub(super) enum From {
    File(PathBuf),
    /// A song of a server.
    Song(String),
    Station(String),
    /// It cannot be read; why.
    Nowhere(String),
}

/// Starts reading. What is wrong comes as the last part.
pub(super) fn start(
    id: u64,
    from: From,
    from_ms: u64,
    events: UnboundedSender<Event>,
    tls: Certificates,
) -> Receiver<Part> {
    let (parts, receiver) = sync_channel(PARTS_MAX);
    let reading = Reading {
        id,
        parts: parts.clone(),
        events,
        skip: from_ms.saturating_mul(u64::from(RATE_HZ) / 1_000),
        opened: false,
        station: None,
        tls,
    };
    let started = std::thread::Builder::new()
        .name("music".into())
        .spawn(move || reading.run(from));
    if let Err(error) = started {
        let _ = parts.try_send(Part::Broken(error.to_string()));
    }
    receiver
}

struct Reading {
    id: u64,
    parts: SyncSender<Part>,
    events: UnboundedSender<Event>,
    /// Samples that are not played, to begin in the middle.
    skip: u64,
    opened: bool,
    station: Option<String>,
    tls: Certificates,
}

/// Nobody listens any more.
struct Left;

enum Fault {
    Left,
    Words(String),
}

impl core::convert::From<Left> for Fault {
    fn from(_: Left) -> Self {
        Self::Left
    }
}

impl core::convert::From<String> for Fault {
    fn from(why: String) -> Self {
        Self::Words(why)
    }
}

impl Reading {
    fn run(mut self, from: From) {
        let done = match from {
            From::File(path) => self.file(&path),
            From::Song(url) => self.song(&url),
            From::Station(url) => self.station(&url, true),
            From::Nowhere(why) => Err(Fault::Words(why)),
        };
        let _ = match done {
            Ok(()) => self.parts.send(Part::End),
            Err(Fault::Words(why)) => self.parts.send(Part::Broken(why)),
            Err(Fault::Left) => Ok(()),
        };
    }

    fn give(&mut self, samples: Vec<i16>) -> Result<(), Left> {
        let skip = usize::try_from(self.skip)
            .unwrap_or(usize::MAX)
            .min(samples.len());
        self.skip -= skip as u64;
        let samples = if skip > 0 {
            samples[skip..].to_vec()
        } else {
            samples
        };
        if samples.is_empty() {
            return Ok(());
        }
        self.parts.send(Part::Samples(samples)).map_err(|_| Left)?;
        if !self.opened {
            self.opened = true;
            let event = Event::Opened {
                id: self.id,
                station: self.station.take(),
            };
            self.events.send(event).map_err(|_| Left)?;
        }
        Ok(())
    }

    fn file(&mut self, path: &Path) -> Result<(), Fault> {
        const FOREIGN: &str = "it is no MP3, FLAC, WAV or Ogg Opus file";
        let mut magic = [0; 12];
        let unreadable = |_| Fault::Words("the file can't be read".into());
        let mut file = File::open(path).map_err(unreadable)?;
        if file.read_exact(&mut magic).is_err() {
            return Err(Fault::Words("the file is empty".into()));
        }
        // ISO 14496: ADTS is told from MP3 by its layer; files of M4A begin with their brand.
        let is_adts = magic[0] == 0xFF && magic[1] & 0xF6 == 0xF0;
        if is_adts || &magic[4..8] == b"ftyp" {
            return Err(Fault::Words("it is AAC, which I can't play".into()));
        }
        if &magic[..4] == b"OggS" && is_vorbis(path).map_err(unreadable)? {
            return Err(Fault::Words("it is Ogg Vorbis, which I can't play".into()));
        }
        if !matches!(&magic[..4], b"fLaC" | b"OggS" | b"RIFF" | b"RF64" | b"BW64") {
            let file = File::open(path).map_err(unreadable)?;
            return self.mp3(BufReader::new(file), FOREIGN);
        }
        let words = |error: RecordingError| {
            Fault::Words(
                match error {
                    RecordingError::Unreadable { .. } => "the file can't be read",
                    RecordingError::Format { .. } => FOREIGN,
                    RecordingError::Damaged { .. } => "the file is damaged",
                    RecordingError::Empty(_) => "the file is empty",
                    RecordingError::TooLarge { .. } | RecordingError::TooLong { .. } => {
                        "the file is too long"
                    }
                }
                .into(),
            )
        };
        let mut recording = Recording::open(path).map_err(words)?;
        while let Some(block) = recording.next_block().map_err(words)? {
            self.give(block)?;
        }
        Ok(())
    }

    fn song(&mut self, url: &str) -> Result<(), Fault> {
        let answer = http::get(url, false, &self.tls)?;
        if answer.head.content_type.contains("json") || answer.head.content_type.contains("xml") {
            let bytes = http::body(answer, 64 * 1_024)?;
            let why = crate::subsonic::answer(&bytes)
                .map_or_else(|error| error.to_string(), |_| "it sends no sound".into());
            return Err(Fault::Words(format!("the music server says that {why}")));
        }
        self.mp3(
            answer,
            "the music server sends it in a format that I can't play",
        )
    }

    fn station(&mut self, url: &str, may_be_list: bool) -> Result<(), Fault> {
        let answer = http::get(url, true, &self.tls)?;
        if stream::is_list(&answer.head.content_type, &answer.url) {
            if !may_be_list {
                return Err(Fault::Words("its list leads to another list".into()));
            }
            let list = http::body(answer, stream::LIST_BYTES_MAX)?;
            let mut why = Fault::Words("its list names no address".into());
            for url in stream::addresses(&list) {
                match self.station(&url, false) {
                    Err(Fault::Words(words)) if !self.opened => why = Fault::Words(words),
                    done => return done,
                }
            }
            return Err(why);
        }
        match answer.head.content_type.as_str() {
            "" | "audio/mpeg" | "audio/mp3" | "audio/x-mpeg" | "application/octet-stream" => {}
            kind if kind.contains("aac") => {
                return Err(Fault::Words(
                    "it sends AAC, which I can't play; take its MP3 address".into(),
                ));
            }
            kind if kind.contains("ogg") => {
                return Err(Fault::Words(
                    "it sends Ogg, which I can't play; take its MP3 address".into(),
                ));
            }
            _ => return Err(Fault::Words("it sends no MP3; take its MP3 address".into())),
        }
        self.station.clone_from(&answer.head.name);
        let titles = Titles::new(answer.head.title_every);
        let titled = Titled {
            titles,
            answer,
            ready: Vec::new(),
            events: self.events.clone(),
            id: self.id,
        };
        self.mp3(titled, "what it sends is no MP3")
    }

    fn mp3(&mut self, reader: impl Read, foreign: &str) -> Result<(), Fault> {
        use crate::mp3::Mp3Error;

        let mut mp3 = Mp3::new(reader);
        let mut rate: Option<(u32, Rate)> = None;
        loop {
            let frame = mp3.next_frame().map_err(|error| {
                Fault::Words(match error {
                    Mp3Error::Unreadable(error) => http::spoken(&error),
                    Mp3Error::NotMp3 => foreign.to_owned(),
                    Mp3Error::Damaged => "it is damaged".to_owned(),
                })
            })?;
            let Some(frame) = frame else { break };
            let samples = if frame.rate_hz == RATE_HZ {
                frame.mono
            } else {
                // A stream may change its rate between two programmes.
                if rate.as_ref().is_none_or(|(hz, _)| *hz != frame.rate_hz) {
                    rate = Some((frame.rate_hz, Rate::new(frame.rate_hz)?));
                }
                let (_, rate) = rate.as_mut().expect("it was just set");
                rate.convert(&frame.mono, false)
            };
            self.give(samples.into_iter().map(to_i16).collect())?;
        }
        if let Some((_, rate)) = &mut rate {
            let rest = rate.convert(&[], true);
            self.give(rest.into_iter().map(to_i16).collect())?;
        }
        Ok(())
    }
}

/// Whether the first packet of an Ogg file is Vorbis's.
fn is_vorbis(path: &Path) -> std::io::Result<bool> {
    let mut head = Vec::new();
    File::open(path)?.take(64).read_to_end(&mut head)?;
    Ok(head.windows(7).any(|seven| seven == b"\x01vorbis"))
}

/// A station's sound without its titles, which become events.
struct Titled {
    titles: Titles,
    answer: http::Answer,
    ready: Vec<u8>,
    events: UnboundedSender<Event>,
    id: u64,
}

impl Read for Titled {
    fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
        while self.ready.is_empty() {
            let mut chunk = [0; 4_096];
            let count = self.answer.read(&mut chunk)?;
            if count == 0 {
                return Ok(0);
            }
            if let Some(title) = self.titles.split(&chunk[..count], &mut self.ready) {
                let id = self.id;
                let _ = self.events.send(Event::Title { id, title });
            }
        }
        let count = self.ready.len().min(buffer.len());
        buffer[..count].copy_from_slice(&self.ready[..count]);
        self.ready.drain(..count);
        Ok(count)
    }
}
