//! One tab: its device, run as `hearth speaker` runs one, and what it tells the page.
use std::ops::ControlFlow;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use hearthline_ledger::{Exit as LedgerExit, Verdict};
use hearthline_speaker::device::{Light, Step};
use hearthline_speaker::io::run::{News, Parts, When, run_trusting};
use serde_json::{Value, json};

use super::journal::Journal;
use super::plain::Plain;
use crate::command;

/// A device whose page has been away for so long ends once it is idle.
const AWAY_MAX: Duration = Duration::from_secs(30);

/// Runs a tab's device until its page is gone and nothing is under way any more.
pub(super) fn run(parts: Parts, roots_pem: Vec<u8>, data: &Path, journal: &Arc<Journal>) {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build();
    let ended = match runtime {
        Ok(runtime) => runtime.block_on(async {
            let mut plain = Plain::default();
            let watch = |news: News<'_>, when| watch(&news, when, &mut plain, data, journal);
            run_trusting(parts, Some(roots_pem), watch)
                .await
                .map_err(|error| error.to_string())
        }),
        Err(error) => Err(error.to_string()),
    };
    if let Err(why) = ended {
        journal.tell(&json!({ "over": why }));
    }
    journal.end();
}

fn watch(
    news: &News<'_>,
    when: When,
    plain: &mut Plain,
    data: &Path,
    journal: &Arc<Journal>,
) -> ControlFlow<()> {
    let at_ms = u64::try_from(when.now.as_millis()).unwrap_or(u64::MAX);
    match news {
        News::Step(step) => {
            if let Some(told) = told_of(step, when, plain, at_ms) {
                journal.tell(&told);
            }
        }
        News::Light(light) => journal.tell(&json!({ "light": word_of(*light) })),
        News::Bundle { path, .. } => judged(path.clone(), data.to_owned(), Arc::clone(journal)),
        News::Trouble(what) => journal.tell(&step_of("trouble", what, at_ms)),
        News::MicrophoneBroken(why) => journal.tell(&step_of("trouble", why, at_ms)),
        News::Second if when.idle && journal.alone_for() > AWAY_MAX => {
            return ControlFlow::Break(());
        }
        News::Shows { skill, value } => {
            journal.tell_state(skill, &json!({ "shows": skill, "holds": value }));
        }
        News::Second | News::InviteLeft | News::RecordingEnded => {}
    }
    ControlFlow::Continue(())
}

fn step_of(word: &str, text: &str, at_ms: u64) -> Value {
    json!({ "step": word, "text": text, "at_ms": at_ms })
}

/// A step as the page gets it: its words, and the figures of those that have some.
fn told_of(step: &Step, when: When, plain: &mut Plain, at_ms: u64) -> Option<Value> {
    let (word, text) = plain.words(step)?;
    let mut told = step_of(word, &text, at_ms);
    let mut set = |name: &str, value: Value| {
        told[name] = value;
    };
    match step {
        Step::Wake { score, .. } => set("score", json!(score)),
        Step::Heard {
            transcript,
            intent,
            speech_end_sample,
            ..
        } => {
            set("transcript", json!(transcript));
            set("intent", json!(intent.0));
            if let Some(zero) = when.microphone_zero {
                let end = zero + Duration::from_micros(speech_end_sample * 1_000 / 16);
                set("speech_end_ms", json!(end.as_millis() as u64));
            }
        }
        Step::Decided {
            decision, reason, ..
        } => {
            set("decision", json!(decision));
            set("reason", json!(reason));
        }
        Step::Said { text } => set("says", json!(text)),
        _ => {}
    }
    Some(told)
}

fn word_of(light: Light) -> &'static str {
    match light {
        Light::Off => "off",
        Light::Listening => "listening",
        Light::Announcing => "announcing",
        Light::Asking => "asking",
        Light::Calling => "calling",
        Light::Connected => "connected",
        Light::Error => "error",
        Light::Ringing => "ringing",
        Light::OnCall => "on call",
        Light::DropIn => "drop in",
        Light::Unread => "unread",
    }
}

/// An incident with what a stranger's check says of it. The check takes a while: it runs beside the device.
fn judged(path: PathBuf, data: PathBuf, journal: Arc<Journal>) {
    std::thread::spawn(move || {
        let name = path
            .file_name()
            .map(|name| name.to_string_lossy().into_owned());
        let told = match command::verify::own(&path, &data) {
            Ok(report) => json!({
                "incident": name,
                "verdict": match report.exit {
                    LedgerExit::Witnessed => "intact and witnessed",
                    LedgerExit::Unwitnessed => "intact, witnessed by nobody but this device",
                    LedgerExit::Tampered => "tampered",
                    LedgerExit::CannotTell => "cannot tell",
                },
                "intact": matches!(report.exit, LedgerExit::Witnessed | LedgerExit::Unwitnessed),
                "claims": report.claims.iter().map(|claim| json!({
                    "claim": claim.what,
                    "holds": matches!(claim.verdict, Verdict::Holds),
                    "fails": matches!(claim.verdict, Verdict::Fails),
                    "verdict": claim.verdict.to_string(),
                    "detail": claim.detail,
                })).collect::<Vec<_>>(),
            }),
            Err(why) => json!({ "incident": name, "verdict": why, "intact": false, "claims": [] }),
        };
        journal.tell(&told);
    });
}
