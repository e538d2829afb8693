//! The real ModemManager on a private bus, with a modem that is a script of AT commands: what we read of it, and that it
//! is never rung. It needs no modem: ModemManager's own tests run it so.
use std::io::{BufRead as _, BufReader, Write as _};
use std::os::linux::net::SocketAddrExt as _;
use std::os::unix::net::{SocketAddr, UnixListener, UnixStream};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use hearthline_modem::dbus::{Connection, Kind, Message, Output, Value};
use hearthline_modem::io::{ServeConfig, start, status};
use hearthline_modem::service::{Health, Lock, ModemState, ROOT, SERVICE};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};

use crate::phone::{Outcome, Phone};
use crate::private_bus::PrivateBus;

/// What the modem answers; everything else is an error.
const ANSWERS: &[(&str, &str)] = &[
    ("AT+GCAP", "+GCAP: +CGSM"),
    ("AT+CGMI", "Drill"),
    ("AT+CGMM", "Script"),
    ("AT+CGMR", "1.0"),
    ("AT+CGSN", "123456789012347"),
    ("AT+CPIN?", "+CPIN: READY"),
    ("AT+CIMI", "998899111000000"),
    ("AT+CREG=?", "+CREG: (0-2)"),
    ("AT+CREG?", "+CREG: 2,1,\"0001\",\"0001\""),
    ("AT+CSQ", "+CSQ: 20,99"),
    ("AT+CFUN?", "+CFUN: 1"),
    ("AT+CSCS=?", "+CSCS: (\"IRA\",\"UCS2\",\"GSM\")"),
    ("AT+CSCS?", "+CSCS: \"IRA\""),
    ("AT+CLCK=?", "+CLCK: (\"SC\")"),
    ("AT+CMGF=?", "+CMGF: (0,1)"),
    ("AT+CNMI=?", "+CNMI: (0-2),(0-3),(0,2),(0-2),(0,1)"),
    (
        "AT+CPMS=?",
        "+CPMS: (\"ME\",\"SM\"),(\"ME\",\"SM\"),(\"ME\",\"SM\")",
    ),
    ("AT+CPMS?", "+CPMS: \"SM\",0,10,\"SM\",0,10,\"SM\",0,10"),
    ("AT+CLCC", ""),
    ("ATH", ""),
    ("AT+CVHU=0", ""),
    ("AT+CHLD=?", "+CHLD: (0,1,2)"),
    ("AT", ""),
    ("ATE0", ""),
    ("ATV1", ""),
    ("ATZ", ""),
    ("AT+CMEE=1", ""),
    ("AT+CSCS=\"UCS2\"", ""),
    ("AT+CMGF=0", ""),
    ("AT&C1", ""),
    ("AT&D1", ""),
    ("ATX4", ""),
];

fn serve_commands(socket: UnixStream) -> std::io::Result<()> {
    let mut writing = socket.try_clone()?;
    for command in BufReader::new(socket).split(b'\r') {
        let command = String::from_utf8_lossy(&command?).trim().to_owned();
        let known = ANSWERS.iter().find(|(known, _)| *known == command);
        match known {
            _ if command.is_empty() => {}
            Some((_, "")) => writing.write_all(b"\r\nOK\r\n")?,
            Some((_, answer)) => write!(writing, "\r\n{answer}\r\n\r\nOK\r\n")?,
            None => writing.write_all(b"\r\nERROR\r\n")?,
        }
    }
    Ok(())
}

/// A running service; ended with the test.
struct Real(Child);

impl Drop for Real {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

fn start_real(bus: &PrivateBus) -> Option<Real> {
    let started = Command::new("ModemManager")
        .args(["--test-session", "--test-enable", "--test-no-udev"])
        .args(["--test-no-qrtr", "--test-no-suspend-resume"])
        .env("DBUS_SESSION_BUS_ADDRESS", bus.text())
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn();
    match started {
        Ok(child) => Some(Real(child)),
        Err(error) => {
            assert!(
                std::env::var_os("CI").is_none(),
                "ModemManager is not installed: {error}"
            );
            println!("skipped: install modemmanager (cargo xtask packages)");
            None
        }
    }
}

/// Gives the real service the scripted modem, as soon as it takes it.
async fn plug_in(bus: &PrivateBus, port: &str) {
    let mut socket = bus.address().connect().await.unwrap();
    let mut connection = Connection::new();
    let mut buffer = [0; 4_096];
    let order = Message::call(
        SERVICE,
        ROOT,
        "org.freedesktop.ModemManager1.Test",
        "SetProfile",
    )
    .with(vec![
        Value::str("drill"),
        Value::str("generic"),
        Value::strings([port]),
    ]);
    for _ in 0..500 {
        while let Some(output) = connection.poll_output() {
            match output {
                Output::Transmit(bytes) => socket.write_all(&bytes).await.unwrap(),
                Output::Message(message) if message.kind == Kind::Return => return,
                // Not there yet, or just here: again.
                Output::Message(message) if message.kind == Kind::Error => {
                    tokio::time::sleep(Duration::from_millis(100)).await;
                    connection.send(order.clone());
                }
                Output::Ready(_) => drop(connection.send(order.clone())),
                Output::Message(_) => {}
                Output::Broken(broken) => panic!("{broken}"),
            }
        }
        let count = socket.read(&mut buffer).await.unwrap();
        connection.handle_bytes(&buffer[..count]);
    }
    panic!("ModemManager takes no modem");
}

#[tokio::test]
async fn the_real_service_is_read_and_never_rung() {
    let Some(bus) = PrivateBus::start() else {
        return;
    };
    let Some(_real) = start_real(&bus) else {
        return;
    };
    let port = format!("abstract:hearthline-{}", std::process::id());
    let address = SocketAddr::from_abstract_name(&port).unwrap();
    let listener = UnixListener::bind_addr(&address).unwrap();
    std::thread::spawn(move || {
        for socket in listener.incoming().flatten() {
            // It ends with the service.
            let _ = serve_commands(socket);
        }
    });
    plug_in(&bus, &port).await;
    let mut found = status(bus.address()).await.unwrap();
    for _ in 0..10 {
        if found.modem.is_some() {
            break;
        }
        found = status(bus.address()).await.unwrap();
    }
    let modem = found.modem.expect("the real service shows its modem");
    assert_eq!(found.health, Health::NotAStandIn);
    assert_eq!(
        (modem.manufacturer.as_str(), modem.model.as_str()),
        ("Drill", "Script")
    );
    assert_eq!(
        (modem.state, modem.lock),
        (ModemState::Disabled, Lock::None)
    );
    assert!(modem.voice && modem.messaging);
    assert!(modem.sim.is_some());

    let line = start(ServeConfig::new(bus.address())).await.unwrap();
    let mut phone = Phone::new().await;
    for number in ["911", "+12025550123"] {
        let outcome = phone.call(line.sip, number).await;
        assert!(matches!(outcome, Outcome::Refused(503, _)), "{outcome:?}");
    }
}
