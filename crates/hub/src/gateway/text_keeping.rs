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
use crate::message::{ClientId, KEPT_MS, MessageBody, MessageText, NewMessage};
use crate::number::Number;
use crate::outside_sender;
use crate::person::Party;
use crate::sip::account::PhoneDigest;
use crate::store::{Answer, StoreError};
use crate::text::Name;

/// The name of the device that messages from outside are from.
const NAME: &str = "Text messages";
/// Texts that are remembered, so that asking again sends none twice.
const REMEMBERED_MAX: usize = 4_096;
/// Longest wait for a line: that of a SIP transaction, and some.
const ANSWER_MAX: Duration = Duration::from_secs(40);

/// A text for the gateway, and who waits.
pub(crate) struct TextOrder {
    pub(crate) to: Number,
    pub(crate) text: MessageText,
    pub(crate) answer: oneshot::Sender<Result<LineId, NotSent>>,
}

/// What became of a text.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum TextState {
    /// The network has it.
    Sent,
    /// Perhaps: the line did not say.
    Unsure,
    /// It is under way.
    Sending,
}

/// What became of each text, by its sender's name for it, with a digest of what it said.
type Asked = HashMap<(Party, ClientId), (Fingerprint, TextState)>;

/// Where texts are handed in.
#[derive(Clone)]
pub(crate) struct TextDesk {
    orders: mpsc::Sender<TextOrder>,
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
    pub(crate) fn new(orders: mpsc::Sender<TextOrder>) -> Self {
        Self {
            orders,
            asked: Arc::default(),
        }
    }

    /// Sends a text once, however often it is asked for by the same client id while this process lives.
    pub(crate) async fn send(
        &self,
        from: Party,
        client_id: ClientId,
        to: Number,
        text: MessageText,
    ) -> Result<TextState, TextRefused> {
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
                asked.retain(|_, (_, state)| *state == TextState::Sending);
            }
            asked.insert(key.clone(), (digest, TextState::Sending));
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
        let mut asked = self.asked.lock().unwrap_or_else(PoisonError::into_inner);
        let state = match outcome {
            Ok(_) => TextState::Sent,
            Err(NotSent::Unsure) => TextState::Unsure,
            Err(why) => {
                // It was not sent: it may be tried again.
                asked.remove(&key);
                return Err(TextRefused::NotSent(why));
            }
        };
        asked.insert(key, (digest, state));
        Ok(state)
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
