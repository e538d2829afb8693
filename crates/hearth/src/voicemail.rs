//! Voicemail of a home: the mailbox beside its hub, and what callers leave in it as messages of the home.
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use hearthline_hub::HubHandle;
use hearthline_hub::clock::{Clock, UnixMs};
use hearthline_hub::device::{DeviceFields, DeviceKind, Fingerprint};
use hearthline_hub::gateway::{Voicemail, line_called};
use hearthline_hub::id::DeviceId;
use hearthline_hub::message::{
    ClientId, KEPT_MS, MessageBody, MessageText, NewMessage, Recipients, TEXT_BYTES_MAX, Voice,
    VoiceCodec,
};
use hearthline_hub::number::Number;
use hearthline_hub::outside_sender::{self, OutsideSender};
use hearthline_hub::person::Party;
use hearthline_hub::sip::account::PhoneDigest;
use hearthline_hub::store::{Store, StoreError};
use hearthline_hub::text::Name;
use hearthline_mailbox::{Deposit, GREETING_MAX, MailboxConfig, Running};
use hearthline_speaker::io::recording::Recording;
use tokio::sync::mpsc;
use tokio::task::JoinHandle;

use crate::models::ModelFolder;
use crate::{ear, voice};

/// What callers hear where the household recorded nothing of its own.
const GREETING: &str =
    "Nobody can come to the telephone now. Please leave a message after the tone.";
/// Its name in the home; messages are from it.
const NAME: &str = "Voicemail";
/// Tries to store a message while the store is in trouble, and the pause between them.
const TRIES: u32 = 5;
const TRY_PAUSE: Duration = Duration::from_secs(2);

/// A mailbox that runs and whose messages nobody stores yet.
pub(crate) struct Mailbox {
    running: Running,
    deposits: mpsc::Receiver<Deposit>,
    models: Option<ModelFolder>,
}

/// A mailbox whose messages are stored.
pub(crate) struct Kept {
    running: Running,
    task: JoinHandle<()>,
}

/// Starts the mailbox. Where the models are missing it has no greeting of its own and writes no transcripts.
///
/// # Errors
/// A greeting that cannot be read, or no sockets.
pub(crate) async fn start(greeting: Option<&Path>) -> Result<Mailbox, String> {
    let models = ModelFolder::locate().ok();
    let given = greeting.map(Path::to_owned);
    let speaking = models.clone();
    let greeting = tokio::task::spawn_blocking(move || match given {
        Some(path) => recorded(&path),
        None => Ok(speaking.map_or_else(Vec::new, |models| spoken(&models))),
    });
    let greeting = greeting.await.map_err(|error| error.to_string())??;
    let seed = hearthline_speaker::io::store::random().map_err(|error| error.to_string())?;
    let config = MailboxConfig {
        greeting: greeting.into(),
        ..MailboxConfig::default()
    };
    let (running, deposits) = hearthline_mailbox::start(config, seed)
        .await
        .map_err(|error| error.to_string())?;
    Ok(Mailbox {
        running,
        deposits,
        models,
    })
}

/// The household's own greeting.
fn recorded(path: &Path) -> Result<Vec<i16>, String> {
    let wrong = |error: &dyn std::fmt::Display| format!("{}: {error}", path.display());
    let mut recording = Recording::open(path).map_err(|error| wrong(&error))?;
    let most = GREETING_MAX.as_secs_f64();
    if recording.seconds_total().is_some_and(|long| long > most) {
        return Err(wrong(&format_args!("a greeting lasts at most {most} s")));
    }
    recording.read_all().map_err(|error| wrong(&error))
}

/// Ours, in our voice; nothing where the voice is missing.
fn spoken(models: &ModelFolder) -> Vec<i16> {
    let said = voice::synthesiser(models)
        .and_then(|mut voice| voice.speak(GREETING).map_err(|error| error.to_string()));
    said.unwrap_or_else(|why| {
        tracing::warn!(%why, "callers hear the tone without a greeting");
        Vec::new()
    })
}

impl Mailbox {
    /// What the hub must know of it.
    pub(crate) fn setting(&self, after: Duration) -> Voicemail {
        Voicemail {
            address: self.running.address,
            after,
        }
    }

    /// Stores what callers leave from now on.
    ///
    /// # Errors
    /// The store.
    pub(crate) async fn keep(self, hub: &HubHandle) -> Result<Kept, StoreError> {
        let keeper = Keeper {
            sender: sender(hub).await?,
            store: hub.store(),
            clock: Clock::default(),
            models: self.models,
        };
        let task = tokio::spawn(keeper.work(self.deposits));
        Ok(Kept {
            running: self.running,
            task,
        })
    }
}

impl Kept {
    /// Ends the calls and stores what was said so far; before the hub stops.
    pub(crate) async fn stop(self) {
        self.running.stop().await;
        // Ends with the last message; one that panicked has been reported.
        let _ = self.task.await;
    }
}

/// The device that messages are from: the mailbox is a telephone of the home like others, made once.
async fn sender(hub: &HubHandle) -> Result<DeviceId, StoreError> {
    let devices = hub.store().devices().await?;
    let own = devices.into_iter().find(|device| {
        device.kind == DeviceKind::SipPhone
            && device.revoked_at_ms.is_none()
            && device.fields.name.as_str() == NAME
    });
    if let Some(own) = own {
        return Ok(own.id);
    }
    let fields = DeviceFields {
        name: Name::new(NAME).map_err(|_| StoreError::Refused("the mailbox's name"))?,
        room: None,
        person: None,
    };
    // Its password is nobody's: it registers nowhere.
    let account = hub.add_sip_account(fields, PhoneDigest::Sha256).await?;
    Ok(account.device)
}

struct Keeper {
    sender: DeviceId,
    store: Arc<dyn Store>,
    clock: Clock,
    models: Option<ModelFolder>,
}

impl Keeper {
    async fn work(self, mut deposits: mpsc::Receiver<Deposit>) {
        while let Some(deposit) = deposits.recv().await {
            self.keep(deposit).await;
        }
    }

    /// The voice first, so that it is there whatever the transcript does.
    async fn keep(&self, deposit: Deposit) {
        let duration_ms = u32::try_from(deposit.duration().as_millis()).unwrap_or(u32::MAX);
        let to = match self.recipients(&deposit).await {
            Ok(Some(to)) => to,
            Ok(None) => return,
            Err(error) => {
                tracing::error!(%error, "whose a voice message is, is not known: it is everybody's");
                Recipients::Everyone
            }
        };
        let voice = MessageBody::Voice(Voice {
            codec: VoiceCodec::G722,
            duration_ms: duration_ms.max(1),
            bytes: deposit.to_g722(),
        });
        self.send("voice", &deposit, to.clone(), voice).await;
        let about = about(&deposit);
        let words = self.transcript(deposit.samples.clone()).await;
        let text = match words.as_deref() {
            Some(words) if !words.is_empty() => format!("{about}: {words}"),
            _ => format!("{about}, {} seconds.", (duration_ms / 1_000).max(1)),
        };
        if let Ok(text) = MessageText::try_from(cut(text)) {
            self.send("text", &deposit, to, MessageBody::Text(text))
                .await;
        }
    }

    /// Whose the message is; `None`: whoever it would be for has blocked the caller since.
    async fn recipients(&self, deposit: &Deposit) -> Result<Option<Recipients>, StoreError> {
        let line = line_called(&deposit.whose);
        let from = deposit.caller_number.as_deref();
        let from = from.and_then(|number| Number::new(number).ok());
        outside_sender::recipients(self.store.as_ref(), line, from.as_ref()).await
    }

    /// `None`: without models, or none that can be used.
    async fn transcript(&self, samples: Vec<i16>) -> Option<String> {
        let models = self.models.clone()?;
        // Loaded for this one and gone after it: messages are rare, and the recogniser is large.
        let heard = tokio::task::spawn_blocking(move || {
            let mut recogniser = ear::recogniser(&models)?;
            hearthline_mailbox::transcript(&mut recogniser, &samples)
        });
        match heard.await {
            Ok(Ok(text)) => Some(text),
            Ok(Err(error)) => {
                tracing::warn!(%error, "a voice message has no transcript");
                None
            }
            Err(error) => {
                tracing::error!(%error, "a voice message has no transcript");
                None
            }
        }
    }

    async fn send(&self, part: &str, deposit: &Deposit, to: Recipients, body: MessageBody) {
        let now = self.clock.now();
        let message = NewMessage {
            client_id: client_id(part, &deposit.call_id),
            from: Party::Device(self.sender),
            to,
            outside: OutsideSender::known(
                deposit.caller_name.as_deref(),
                deposit.caller_number.as_deref(),
            ),
            body,
            announcement: false,
            reminder_due: None,
            expires_at: UnixMs(now.0.saturating_add(KEPT_MS)),
        };
        for attempt in 1..=TRIES {
            match self.store.send_message(&message, self.clock.now()).await {
                Ok(_) => return,
                Err(error @ (StoreError::Refused(_) | StoreError::Limit { .. })) => {
                    tracing::error!(%error, "a voice message was not stored");
                    return;
                }
                // The same client id: it is stored once, however often it is tried.
                Err(error) => {
                    tracing::error!(%error, attempt, "a voice message is not stored yet");
                    tokio::time::sleep(TRY_PAUSE).await;
                }
            }
        }
    }
}

fn about(deposit: &Deposit) -> String {
    let name = deposit.caller_name.as_deref();
    match (name, deposit.caller_number.as_deref()) {
        (Some(name), _) => format!("Voice message from {name}"),
        (None, Some(number)) => format!("Voice message from {number}"),
        (None, None) => "Voice message from an unknown caller".to_owned(),
    }
}

/// The same call gives the same message.
fn client_id(part: &str, call_id: &str) -> ClientId {
    let mut id = format!("{part}-{}", Fingerprint::of(call_id.as_bytes()));
    id.truncate(64);
    ClientId::try_from(id).expect("letters, digits and '-'")
}

fn cut(mut text: String) -> String {
    let mut end = text.len().min(TEXT_BYTES_MAX);
    while !text.is_char_boundary(end) {
        end -= 1;
    }
    text.truncate(end);
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_long_transcript_is_cut_between_letters_and_a_message_is_named_by_its_call() {
        let text = cut("ü".repeat(3_000));
        assert!(text.len() <= TEXT_BYTES_MAX && text.ends_with('ü'));
        assert_eq!(client_id("voice", "a"), client_id("voice", "a"));
        assert_ne!(client_id("voice", "a"), client_id("text", "a"));
        assert_ne!(client_id("voice", "a"), client_id("voice", "b"));
    }
}
