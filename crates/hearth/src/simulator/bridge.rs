//! Between a page's sound and its device: one task a tab. The device has a microphone without a gap whatever the page does,
//! for its ear reckons time in samples.
use std::sync::Arc;
use std::time::Duration;

use hearthline_speaker::io::microphone::{Button, Frame};
use hearthline_webrtc::{BrowserSound, FromBrowser};
use serde_json::json;
use tokio::sync::mpsc;
use tokio::time::{Instant, MissedTickBehavior, interval};

use super::journal::Journal;

const FRAME: Duration = Duration::from_millis(20);
const FRAME_SAMPLES: usize = 320;
/// Without a frame of the page for so long, silence takes its place.
const GAP_MAX: Duration = Duration::from_millis(100);
/// What was said before the button was let go is still on its way for so many frames.
const ON_ITS_WAY_FRAMES: u32 = 8;
/// The loudspeaker is silent when no block came for so long.
const SILENT_AFTER: Duration = Duration::from_millis(120);

/// What a page asks of its tab.
pub(super) enum Command {
    /// Its new sound.
    Sound(BrowserSound),
    /// The button is held.
    Hold,
    /// It is let go.
    Release,
    /// The announced call is taken back.
    Cancel,
    /// Typed words.
    Type(String),
}

pub(super) struct Bridge {
    pub(super) commands: mpsc::Receiver<Command>,
    /// To the device's microphone.
    pub(super) frames: mpsc::Sender<Frame>,
    /// From the device's loudspeaker.
    pub(super) blocks: mpsc::Receiver<Vec<i16>>,
    pub(super) journal: Arc<Journal>,
}

/// What a page brings, or nothing without a page.
async fn next(sound: &mut Option<BrowserSound>) -> Option<FromBrowser> {
    match sound {
        Some(sound) => sound.next().await,
        None => std::future::pending().await,
    }
}

impl Bridge {
    /// Works until the device is gone.
    pub(super) async fn run(mut self) {
        let mut sound: Option<BrowserSound> = None;
        let mut ticks = interval(FRAME);
        ticks.set_missed_tick_behavior(MissedTickBehavior::Burst);
        let mut heard_at = Instant::now();
        let mut sounded_at: Option<Instant> = None;
        let mut releasing: Option<u32> = None;
        loop {
            let mut frame = None;
            tokio::select! {
                news = next(&mut sound) => match news {
                    Some(FromBrowser::Heard(samples)) => {
                        heard_at = Instant::now();
                        frame = Some(samples);
                    }
                    Some(FromBrowser::Connected | FromBrowser::Resumed) => self.tell_sound("on", None),
                    Some(FromBrowser::Interrupted) => self.tell_sound("interrupted", None),
                    Some(FromBrowser::Ended(why)) => {
                        sound = None;
                        self.tell_sound("off", Some(&why.to_string()));
                    }
                    None => sound = None,
                },
                block = self.blocks.recv() => {
                    // The device is gone.
                    let Some(block) = block else { return };
                    if sounded_at.replace(Instant::now()).is_none() {
                        self.journal.tell(&json!({ "sounding": true }));
                    }
                    if let Some(sound) = &sound {
                        sound.to_browser.play(block);
                    }
                }
                command = self.commands.recv() => match command {
                    // The tab is put away; the device ends by itself.
                    None => return,
                    Some(Command::Sound(new)) => sound = Some(new),
                    Some(Command::Hold) => {
                        releasing = None;
                        self.give(Frame::Button(Button::Held));
                    }
                    Some(Command::Release) => releasing = Some(ON_ITS_WAY_FRAMES),
                    Some(Command::Cancel) => self.give(Frame::Button(Button::Cancel)),
                    Some(Command::Type(text)) => self.give(Frame::Typed(text)),
                },
                _ = ticks.tick() => {
                    if heard_at.elapsed() > GAP_MAX {
                        frame = Some(vec![0; FRAME_SAMPLES]);
                    }
                    if sounded_at.is_some_and(|at| at.elapsed() > SILENT_AFTER) {
                        sounded_at = None;
                        self.journal.tell(&json!({ "sounding": false }));
                    }
                }
            }
            if let Some(samples) = frame {
                self.give(Frame::Samples(samples));
                match &mut releasing {
                    Some(0) => {
                        releasing = None;
                        self.give(Frame::Button(Button::Released));
                    }
                    Some(left) => *left -= 1,
                    None => {}
                }
            }
        }
    }

    fn tell_sound(&self, state: &str, why: Option<&str>) {
        self.journal.tell(&json!({ "sound": state, "why": why }));
    }

    /// A device that takes nothing for seconds loses sound, as a microphone's buffer would.
    fn give(&self, frame: Frame) {
        drop(self.frames.try_send(frame));
    }
}
