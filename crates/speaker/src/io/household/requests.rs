//! What the device asks of the hub, as HTTP; and what the hub answers, as the device understands it.
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use hearthline_media::G722Decoder;
use hyper::Method;
use serde_json::{Value, json};

use super::super::api::{Answer, Client};
use super::super::recording::RATE_HZ;
use crate::messages::{
    Caller, Content, Document, Forward, Letter, Mailbox, Outcome, RECORDING_MAX, Request, To, Wish,
};

/// Length of a device's id at the hub.
const DEVICE_ID_CHARACTERS: usize = 26;

/// Where the hub's copy of this device's agenda is.
const AGENDA: &str = "/api/v1/me/agenda";

/// Where the lights are that routines of the home want switched here.
pub(super) const LIGHT_ORDERS: &str = "/api/v1/me/light-orders";

/// Where a device's own settings of calls are.
pub(super) fn settings_path(user: &str) -> String {
    format!("/api/v1/devices/{user}/call-settings")
}

/// Asks, and reads the answer.
pub(super) async fn carry_out(client: &mut Client, user: &str, request: Request) -> Outcome {
    let answer = match request {
        Request::Send(letter) => post(client, "/api/v1/messages", &body_of(&letter)).await,
        Request::Voice { message } => {
            let path = format!("/api/v1/messages/{message}/voice");
            return match client.send(Method::GET, &path, None).await {
                Ok(answer) if answer.status.is_success() => voice(&answer),
                other => outcome(other),
            };
        }
        Request::Read { message, mailbox } => {
            let read = acknowledge(client, &[&message], name_of(mailbox), "read").await;
            return match read {
                Ok(answer) => outcome(Ok(answer)),
                Err(_) => Outcome::Away,
            };
        }
        Request::Delete { message, mailbox } => {
            let path = format!("/api/v1/messages/{message}?mailbox={}", name_of(mailbox));
            client.send(Method::DELETE, &path, None).await
        }
        Request::Agenda => {
            let answer = client.send(Method::GET, AGENDA, None).await;
            return match answer {
                Ok(answer) if answer.status.is_success() => document(&answer.body),
                other => outcome(other),
            };
        }
        Request::KeepAgenda(Document(copy)) => {
            let body = copy.to_string().into_bytes();
            client.send(Method::PUT, AGENDA, Some(body)).await
        }
        Request::FindPhone { whose } => {
            let answer = post(client, "/api/v1/me/find-phone", &json!({ "person": whose })).await;
            return match answer {
                Ok(answer) if answer.status.is_success() => document(&answer.body),
                other => outcome(other),
            };
        }
        Request::LightOrderEnded { order, why } => {
            let path = format!("{LIGHT_ORDERS}/{order}");
            let body = json!({ "why": why }).to_string().into_bytes();
            client.send(Method::PUT, &path, Some(body)).await
        }
        Request::Settings(wish) => return settings(client, user, &wish).await,
    };
    outcome(answer)
}

/// JSON, whatever it says; what is none is no answer.
fn document(body: &[u8]) -> Outcome {
    serde_json::from_slice(body).map_or(Outcome::Away, |value| Outcome::Document(Document(value)))
}

/// Tells the hub how far messages of a mailbox came.
pub(super) async fn acknowledge(
    client: &mut Client,
    messages: &[&str],
    mailbox: &str,
    state: &str,
) -> Result<Answer, String> {
    let body = json!({"messages": messages, "state": state, "mailbox": mailbox});
    post(client, "/api/v1/messages/acknowledge", &body).await
}

async fn post(client: &mut Client, path: &str, body: &Value) -> Result<Answer, String> {
    let body = body.to_string().into_bytes();
    client.send(Method::POST, path, Some(body)).await
}

fn name_of(mailbox: Mailbox) -> &'static str {
    match mailbox {
        Mailbox::Device => "device",
        Mailbox::Person => "person",
    }
}

/// What the hub cannot do now it is asked again; what it will not, never.
fn outcome(answer: Result<Answer, String>) -> Outcome {
    match answer.map(|answer| answer.status) {
        Ok(status) if status.is_success() => Outcome::Done,
        Ok(status)
            if status.is_client_error() && !matches!(status.as_u16(), 401 | 403 | 408 | 429) =>
        {
            Outcome::Refused(status.as_u16())
        }
        // A membership that does not count now may count again: nothing is thrown away for it.
        Ok(_) | Err(_) => Outcome::Away,
    }
}

fn body_of(letter: &Letter) -> Value {
    let to = match &letter.to {
        To::Called(name) => json!({"called": name}),
        To::Speakers => json!("speakers"),
    };
    let body = match &letter.content {
        Content::Text(text) => json!({"text": text}),
        Content::Voice { duration_ms, g722 } => json!({"voice": {
            "codec": "g722", "duration_ms": duration_ms, "base64": STANDARD.encode(g722),
        }}),
    };
    json!({
        "client_id": letter.client_id, "to": to, "body": body, "announcement": letter.announcement,
        "reminder_due_ms": letter.reminder_due_ms,
    })
}

/// The voice as samples; what cannot be played is refused.
fn voice(answer: &Answer) -> Outcome {
    let samples_max = RECORDING_MAX.as_secs() as usize * RATE_HZ as usize;
    let mut samples = Vec::new();
    match answer.content_type.as_str() {
        "audio/G722" => G722Decoder::new().decode(&answer.body, &mut samples),
        "audio/wav" => {
            let Some(read) = wav(&answer.body, samples_max) else {
                return Outcome::Refused(415);
            };
            samples = read;
        }
        _ => return Outcome::Refused(415),
    }
    samples.truncate(samples_max);
    Outcome::Voice(samples)
}

/// 16 bits, mono, at 16 kHz or half of it.
fn wav(bytes: &[u8], samples_max: usize) -> Option<Vec<i16>> {
    let mut reader = hound::WavReader::new(bytes).ok()?;
    let spec = reader.spec();
    if spec.channels != 1 || spec.bits_per_sample != 16 {
        return None;
    }
    let repeat = match spec.sample_rate {
        RATE_HZ => 1,
        8_000 => 2,
        _ => return None,
    };
    let mut samples = Vec::new();
    for sample in reader.samples::<i16>().take(samples_max) {
        samples.extend(std::iter::repeat_n(sample.ok()?, repeat));
    }
    Some(samples)
}

/// Changes one of the device's settings and leaves the others as they are.
async fn settings(client: &mut Client, user: &str, wish: &Wish) -> Outcome {
    if let Wish::Block(caller) = wish {
        return outcome(post(client, "/api/v1/me/blocked", &blocked(caller)).await);
    }
    let path = settings_path(user);
    let mut settings: Value = match client.get(&path).await {
        Ok(settings) => settings,
        Err(_) => return Outcome::Away,
    };
    change(&mut settings, wish);
    let body = settings.to_string().into_bytes();
    outcome(client.send(Method::PUT, &path, Some(body)).await)
}

fn change(settings: &mut Value, wish: &Wish) {
    match wish {
        Wish::DoNotDisturb(on) => {
            settings["do_not_disturb"] = json!(on);
            settings["do_not_disturb_until_ms"] = Value::Null;
        }
        Wish::Forward(None) => settings["forward"] = Value::Null,
        Wish::Forward(Some(Forward::Called(name))) => {
            settings["forward"] = json!({"called": name});
        }
        Wish::Forward(Some(Forward::Number(number))) => {
            settings["forward"] = json!({"number": number});
        }
        // The hub adds one by itself, so that two speakers do not undo each other's.
        Wish::Block(_) => {}
    }
}

/// A caller as the hub knows them: a device by its id, an ordinary phone by the name of its account.
fn blocked(caller: &Caller) -> Value {
    let is_id = |user: &str| {
        user.len() == DEVICE_ID_CHARACTERS
            && user
                .bytes()
                .all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit())
    };
    match caller {
        Caller::Device(user) if is_id(user) => json!({"device": user}),
        Caller::Device(user) => json!({"account": user}),
        Caller::Number(number) => json!({"number": number}),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_setting_changes_and_the_others_stay() {
        let mut settings = json!({"do_not_disturb": false, "blocked": [], "only": null});
        change(&mut settings, &Wish::DoNotDisturb(true));
        change(
            &mut settings,
            &Wish::Forward(Some(Forward::Called("Study".into()))),
        );
        let expected = json!({
            "do_not_disturb": true, "do_not_disturb_until_ms": null, "only": null,
            "blocked": [],
            "forward": {"called": "Study"},
        });
        assert_eq!(settings, expected);
        change(&mut settings, &Wish::Forward(None));
        assert_eq!(settings["forward"], Value::Null);
    }

    #[test]
    fn a_caller_is_blocked_as_the_hub_knows_them() {
        let id = "0123456789abcdefghjkmnpqrs";
        assert_eq!(blocked(&Caller::Device(id.into())), json!({ "device": id }));
        assert_eq!(
            blocked(&Caller::Device("phone-abc123".into())),
            json!({"account": "phone-abc123"})
        );
        assert_eq!(
            blocked(&Caller::Number("+15055550123".into())),
            json!({"number": "+15055550123"})
        );
    }

    #[test]
    fn a_voice_comes_back_as_it_was_said() {
        let said: Vec<i16> = (0..16_000_i32)
            .map(|n| ((n % 80 - 40) * 150) as i16)
            .collect();
        let mut g722 = Vec::new();
        hearthline_media::G722Encoder::new().encode(&said, &mut g722);
        let answer = |content_type: &str, body: Vec<u8>| Answer {
            status: hyper::StatusCode::OK,
            content_type: content_type.into(),
            body: body.into(),
        };
        let Outcome::Voice(heard) = voice(&answer("audio/G722", g722)) else {
            panic!("a voice");
        };
        assert_eq!(heard.len(), said.len());
        assert!(heard.iter().any(|sample| sample.unsigned_abs() > 3_000));
        for (kind, body) in [("audio/wav", b"RIFF".to_vec()), ("audio/ogg", Vec::new())] {
            assert_eq!(voice(&answer(kind, body)), Outcome::Refused(415));
        }
    }
}
