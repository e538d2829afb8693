use std::time::Duration;

use hearthline_modem::dbus::{Connection, Message, Output, Value};
use hearthline_modem::service::{
    CALL, CallState, Health, MESSAGING, MODEM, OBJECTS, PROPERTIES, ROOT, SMS, VOICE,
};
use hearthline_modem::stand_in::{MODEM_PATH, StandIn};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};

use crate::phone::{Outcome, Phone};
use crate::private_bus::Home;

const NUMBER: &str = "+12025550123";

/// Values that no ModemManager would send, of every type and some sizes.
fn odd_values() -> Vec<Value> {
    let mut deep = Value::U32(1);
    for _ in 0..20 {
        deep = Value::variant(deep);
    }
    vec![
        Value::Bool(true),
        Value::I32(i32::MIN),
        Value::U64(u64::MAX),
        Value::Double(f64::NAN),
        Value::str("x".repeat(100_000)),
        Value::str("911; rm -rf /"),
        Value::path("/"),
        Value::strings([]),
        Value::Array("v".to_owned(), vec![Value::variant(Value::Byte(0)); 5_000]),
        Value::Struct(vec![Value::U32(u32::MAX), Value::str("no")]),
        Value::properties([("rate".to_owned(), Value::str("fast"))]),
        deep,
    ]
}

#[tokio::test]
async fn odd_properties_and_signals_change_no_call() {
    let Some(mut home) = Home::start().await else {
        return;
    };
    let line = home.line.sip;
    let mut phone = Phone::new().await;
    assert_eq!(phone.call(line, NUMBER).await, Outcome::Answered);
    for value in odd_values() {
        for (interface, names) in [
            (MODEM, ["Model", "Sim", "SignalQuality"]),
            (VOICE, ["EmergencyNumbers", "Calls", "Nothing"]),
        ] {
            for name in names {
                let changed = Value::properties([(name.to_owned(), value.clone())]);
                let signal = Message::signal(MODEM_PATH, PROPERTIES, "PropertiesChanged");
                let body = vec![Value::str(interface), changed, Value::strings([])];
                home.modem.send(signal.with(body)).await;
            }
        }
        for (path, interface, member) in [
            (MODEM_PATH, VOICE, "CallAdded"),
            (MODEM_PATH, VOICE, "CallDeleted"),
            (MODEM_PATH, MESSAGING, "Added"),
            (ROOT, OBJECTS, "InterfacesAdded"),
            (ROOT, OBJECTS, "InterfacesRemoved"),
            (
                "/org/freedesktop/ModemManager1/Call/1",
                CALL,
                "DtmfReceived",
            ),
            ("/org/freedesktop/ModemManager1/SMS/1", SMS, "Nothing"),
        ] {
            for body in [
                vec![],
                vec![value.clone()],
                vec![value.clone(), value.clone()],
            ] {
                let signal = Message::signal(path, interface, member);
                home.modem.send(signal.with(body)).await;
            }
        }
    }
    phone.talk(Duration::from_secs(1)).await;
    assert!(!phone.ended);
    home.health(Health::Ready).await;
    assert_eq!(home.modem.seen().await.connected, 1);
}

#[tokio::test]
async fn objects_without_end_are_not_all_taken_in() {
    let Some(mut home) = Home::start().await else {
        return;
    };
    for index in 0..2_000 {
        let path = Value::path(format!("{ROOT}/Call/{index}"));
        let signal = Message::signal(MODEM_PATH, VOICE, "CallAdded");
        home.modem.send(signal.with(vec![path])).await;
        let path = Value::path(format!("{ROOT}/SMS/{index}"));
        let signal = Message::signal(MODEM_PATH, MESSAGING, "Added");
        home.modem
            .send(signal.with(vec![path, Value::Bool(true)]))
            .await;
    }
    home.health(Health::Ready).await;
    let outcome = Phone::new().await.call(home.line.sip, NUMBER).await;
    assert_eq!(outcome, Outcome::Answered);
}

/// Another program on the same bus says that the call has ended and that the modem is locked.
#[tokio::test]
async fn only_the_service_itself_is_believed() {
    let Some(mut home) = Home::start().await else {
        return;
    };
    let mut phone = Phone::new().await;
    assert_eq!(phone.call(home.line.sip, NUMBER).await, Outcome::Answered);
    let ended = Message::signal(
        "/org/freedesktop/ModemManager1/Call/1",
        CALL,
        "StateChanged",
    )
    .with(vec![
        Value::I32(CallState::Active.number()),
        Value::I32(CallState::Terminated.number()),
        Value::U32(4),
    ]);
    let locked = Value::properties([("UnlockRequired".to_owned(), Value::U32(2))]);
    let locked = Message::signal(MODEM_PATH, PROPERTIES, "PropertiesChanged").with(vec![
        Value::str(MODEM),
        locked,
        Value::strings([]),
    ]);
    let gone = Message::signal(
        "/org/freedesktop/DBus",
        "org.freedesktop.DBus",
        "NameOwnerChanged",
    )
    .with(vec![
        Value::str("org.freedesktop.ModemManager1"),
        Value::str(":1.1"),
        Value::str(""),
    ]);
    let mut liar = Liar::join(&home).await;
    for round in 1..40 {
        // To everybody, and to the line alone, whose name is one of the first.
        let to = format!(":1.{round}");
        for message in [&ended, &locked, &gone] {
            liar.say(message.clone()).await;
            let mut whispered = message.clone();
            whispered.destination = Some(to.clone());
            liar.say(whispered).await;
        }
    }
    phone.talk(Duration::from_millis(500)).await;
    assert!(!phone.ended);
    home.health(Health::Ready).await;
}

/// The service goes in mid-call, and another comes: an ordinary call ends, and the new one is asked anew.
#[tokio::test]
async fn a_service_that_restarts_is_asked_anew() {
    let Some(mut home) = Home::start().await else {
        return;
    };
    let address = home.bus.address();
    assert!(
        StandIn::start(address.clone()).await.is_err(),
        "one name, one owner"
    );
    let mut phone = Phone::new().await;
    assert_eq!(phone.call(home.line.sip, NUMBER).await, Outcome::Answered);
    home.modem.leave().await;
    assert!(phone.ends().await);
    home.health(Health::NoService).await;
    home.modem = StandIn::start(address).await.unwrap();
    home.health(Health::Ready).await;
    assert_eq!(phone.call(home.line.sip, NUMBER).await, Outcome::Answered);
}

/// A connection that says what it likes.
struct Liar {
    socket: tokio::net::UnixStream,
    connection: Connection,
}

impl Liar {
    async fn join(home: &Home) -> Self {
        let mut own = Self {
            socket: home.bus.address().connect().await.unwrap(),
            connection: Connection::new(),
        };
        let mut buffer = [0; 4_096];
        while !own.flush().await {
            let count = own.socket.read(&mut buffer).await.unwrap();
            own.connection.handle_bytes(&buffer[..count]);
        }
        own
    }

    /// Whether the bus let us in.
    async fn flush(&mut self) -> bool {
        let mut ready = false;
        while let Some(output) = self.connection.poll_output() {
            match output {
                Output::Transmit(bytes) => self.socket.write_all(&bytes).await.unwrap(),
                Output::Ready(_) => ready = true,
                Output::Message(_) => {}
                Output::Broken(broken) => panic!("{broken}"),
            }
        }
        ready
    }

    async fn say(&mut self, message: Message) {
        self.connection.send(message);
        self.flush().await;
    }
}
