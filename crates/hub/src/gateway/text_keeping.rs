//! Between the gateway and those who wait for it: texts that come become messages of the home, texts that go are asked
//! for once each.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tokio::sync::{mpsc, oneshot};

use super::{ComingText, Keeping, NotSent};
use crate::device::{DeviceFields, DeviceKind, Fingerprint};
use crate::home::Home;
use crate::id::{DeviceId, LineId};
use crate::message::{ClientId, KEPT_MS, MessageBody, MessageText, NewMessage, SentText};
use crate::number::Number;
use crate::outside_sender;
use crate::person::Party;
use crate::sip::account::PhoneDigest;
use crate::store::{Answer, StoreError};
use crate::text::Name;

/// The name of the device that messages from outside are from.
const NAME: &str = "Text messages";
/// Texts under way at once.
const REMEMBERED_MAX: usize = 4_096;
/// Longest wait for a line: that of a SIP transaction, and some.
const ANSWER_MAX: Duration = Duration::from_secs(40);

/// A text for the gateway, and who waits.
pub(crate) struct TextOrder {
    pub(crate) to: Number,
    pub(crate) text: MessageText,
    pub(crate) answer: oneshot::Sender<Result<LineId, NotSent>>,
}

/// What is under way, and what could not be written down; by its sender's name for it, with a digest of what it said.
type Asked = HashMap<(Party, ClientId), (Fingerprint, SentText)>;

/// Where texts are handed in.
#[derive(Clone)]
pub(crate) struct TextDesk {
    orders: mpsc::Sender<TextOrder>,
    home: Arc<Home>,
    asked: Arc<Mutex<Asked>>,
}

/// Why a text is not even tried.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum TextRefused {
    /// The same client id stood for another text.
    Taken,
    NotSent(NotSent),
}

impl TextDesk {
    pub(crate) fn new(orders: mpsc::Sender<TextOrder>, home: Arc<Home>) -> Self {
        Self {
            orders,
            home,
            asked: Arc::default(),
        }
    }

    /// Sends a text once, however often it is asked for by the same client id, also after a restart. One that was under
    /// way when the hub ended was perhaps sent.
    pub(crate) async fn send(
        &self,
        from: Party,
        client_id: ClientId,
        to: Number,
        text: MessageText,
    ) -> Result<SentText, TextRefused> {
        let said = format!("{} {}", to.as_str(), text.as_str());
        let digest = Fingerprint::of(said.as_bytes());
        let key = (from, client_id);
        {
            let mut asked = self.asked.lock().unwrap_or_else(PoisonError::into_inner);
            match asked.get(&key) {
                Some((before, _)) if *before != digest => return Err(TextRefused::Taken),
                Some((_, state)) => return Ok(*state),
                None => {}
            }
            if asked.len() >= REMEMBERED_MAX {
                return Err(TextRefused::NotSent(NotSent::Failed));
            }
            asked.insert(key.clone(), (digest, SentText::Sending));
        }
        // Whoever asked may leave: what became of it is written down all the same.
        let own = self.clone();
        let sending = tokio::spawn(async move { own.send_once(key, digest, to, text).await });
        sending
            .await
            .unwrap_or(Err(TextRefused::NotSent(NotSent::Unsure)))
    }

    async fn send_once(
        &self,
        key: (Party, ClientId),
        digest: Fingerprint,
        to: Number,
        text: MessageText,
    ) -> Result<SentText, TextRefused> {
        let store = self.home.store.as_ref();
        let begun = store
            .begin_text(key.0, &key.1, &digest, self.home.clock.now())
            .await;
        let before = match begun {
            Ok(before) => before,
            Err(error) => {
                tracing::error!(%error, "a text is not sent: it cannot be written down that it was");
                self.is_over(&key);
                return Err(TextRefused::NotSent(NotSent::Failed));
            }
        };
        if let Some((said, state)) = before {
            self.is_over(&key);
            return match state {
                _ if said != digest => Err(TextRefused::Taken),
                SentText::Sending => Ok(SentText::Unsure),
                state => Ok(state),
            };
        }
        let (answer, waiting) = oneshot::channel();
        let order = TextOrder { to, text, answer };
        let outcome = match self.orders.send(order).await {
            Err(_) => Err(NotSent::NoLine),
            Ok(()) => match tokio::time::timeout(ANSWER_MAX, waiting).await {
                Ok(Ok(outcome)) => outcome,
                _ => Err(NotSent::Unsure),
            },
        };
        let state = match outcome {
            Ok(_) => Ok(SentText::Sent),
            Err(NotSent::Unsure) => Ok(SentText::Unsure),
            Err(why) => Err(TextRefused::NotSent(why)),
        };
        let kept = store.end_text(key.0, &key.1, state.ok()).await;
        if let Err(error) = &kept {
            tracing::error!(%error, "it is not written down what became of a text");
        }
        match (kept, state) {
            (Err(_), Ok(state)) => {
                let mut asked = self.asked.lock().unwrap_or_else(PoisonError::into_inner);
                asked.insert(key, (digest, state));
            }
            _ => self.is_over(&key),
        }
        state
    }

    fn is_over(&self, key: &(Party, ClientId)) {
        let mut asked = self.asked.lock().unwrap_or_else(PoisonError::into_inner);
        asked.remove(key);
    }
}

/// Stores what comes until nobody sends any more.
pub(super) async fn keep(
    home: Arc<Home>,
    mut coming: mpsc::Receiver<Box<ComingText>>,
    kept: mpsc::Sender<(u64, Keeping)>,
) {
    while let Some(text) = coming.recv().await {
        let id = text.id;
        let keeping = match store(&home, *text).await {
            Ok(keeping) => keeping,
            Err(error) => {
                tracing::error!(%error, "a text that came is not stored yet; its line keeps it");
                Keeping::NotNow
            }
        };
        if kept.send((id, keeping)).await.is_err() {
            return;
        }
    }
}

async fn store(home: &Home, text: ComingText) -> Answer<Keeping> {
    let number = text.from.as_ref().and_then(|from| from.number.as_ref());
    let line = Some(text.line);
    let to = outside_sender::recipients(home.store.as_ref(), line, number).await?;
    let Some(to) = to else {
        return Ok(Keeping::Unwanted);
    };
    let now = home.clock.now();
    let mut client_id = format!("sms-{}", text.mark);
    client_id.truncate(64);
    let message = NewMessage {
        client_id: ClientId::try_from(client_id).expect("letters, digits and '-'"),
        from: Party::Device(sender(home).await?),
        to,
        outside: text.from,
        body: MessageBody::Text(text.text),
        announcement: false,
        reminder_due: None,
        expires_at: now.plus_ms(KEPT_MS),
    };
    match home.store.send_message(&message, now).await {
        // Of the same mark it was stored before, to whom it was for then.
        Ok(_) | Err(StoreError::Taken { .. }) => Ok(Keeping::Kept),
        Err(error) => Err(error),
    }
}

/// The device that such messages are from, made once: a telephone of the home that registers nowhere.
async fn sender(home: &Home) -> Answer<DeviceId> {
    let devices = home.store.devices().await?;
    let own = devices.into_iter().find(|device| {
        device.kind == DeviceKind::SipPhone
            && device.revoked_at_ms.is_none()
            && device.fields.name.as_str() == NAME
    });
    if let Some(own) = own {
        return Ok(own.id);
    }
    let fields = DeviceFields {
        name: Name::new(NAME).map_err(|_| StoreError::Refused("the name of texts"))?,
        room: None,
        person: None,
    };
    let account = home.add_sip_account(fields, PhoneDigest::Sha256).await?;
    Ok(account.device)
}
