//! One connection to a bus daemon: authentication, name, framing ("Authentication Protocol", "Message Bus").

use std::collections::VecDeque;

use super::message::{BUS, BUS_PATH, Kind, MESSAGE_BYTES_MAX, Message};
use super::read::WireError;
use super::value::Value;

/// Longest line of the authentication, in bytes.
const LINE_BYTES_MAX: usize = 512;
/// Bytes that may wait to be sent; a daemon that takes none for so long is broken.
const UNSENT_BYTES_MAX: usize = 4 * MESSAGE_BYTES_MAX;

/// Why a connection cannot go on.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Broken {
    /// The daemon does not let us in.
    #[error(
        "the bus refuses this user; a private bus is started by the same user: dbus-daemon --session --address=unix:path=…"
    )]
    Refused,
    /// What comes is no D-Bus.
    #[error("what answers there is no D-Bus daemon")]
    NotABus,
    /// A message that cannot be read. The daemon checks messages, so this is its fault or ours.
    #[error(transparent)]
    Wire(#[from] WireError),
    /// The daemon reads nothing.
    #[error("the bus takes no more bytes")]
    Stuck,
}

/// What a connection wants done.
#[derive(Debug, PartialEq)]
#[must_use = "a dropped output is a lost message"]
pub enum Output {
    /// Send these bytes.
    Transmit(Vec<u8>),
    /// We are on the bus, under this name.
    Ready(String),
    /// A message came.
    Message(Box<Message>),
    /// Nothing more can come; close the socket.
    Broken(Broken),
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Phase {
    /// Our request to be let in is out.
    Authenticating,
    /// Our Hello is out.
    Greeting,
    /// On the bus.
    Ready,
    Broken,
}

/// A connection. Make one for each socket.
#[derive(Debug)]
pub struct Connection {
    phase: Phase,
    received: Vec<u8>,
    last_serial: u32,
    hello: u32,
    unsent_bytes: usize,
    outputs: VecDeque<Output>,
}

impl Default for Connection {
    fn default() -> Self {
        Self::new()
    }
}

impl Connection {
    /// For a socket that was just connected.
    #[must_use]
    pub fn new() -> Self {
        let mut own = Self {
            phase: Phase::Authenticating,
            received: Vec::new(),
            last_serial: 0,
            hello: 0,
            unsent_bytes: 0,
            outputs: VecDeque::new(),
        };
        // No user is named: the daemon takes the one whom the socket tells.
        own.transmit(b"\0AUTH EXTERNAL\r\n".to_vec());
        own
    }

    /// Bytes from the socket.
    pub fn handle_bytes(&mut self, bytes: &[u8]) {
        if self.phase == Phase::Broken {
            return;
        }
        self.received.extend_from_slice(bytes);
        if let Err(broken) = self.read() {
            self.break_off(broken);
        }
    }

    /// The next thing to do; `None`: nothing until more comes.
    pub fn poll_output(&mut self) -> Option<Output> {
        let output = self.outputs.pop_front();
        if let Some(Output::Transmit(bytes)) = &output {
            self.unsent_bytes -= bytes.len();
        }
        output
    }

    /// Sends a message and returns the number that its answer will name.
    pub fn send(&mut self, mut message: Message) -> u32 {
        self.last_serial = self.last_serial.wrapping_add(1).max(1);
        message.serial = self.last_serial;
        self.transmit(message.to_bytes());
        self.last_serial
    }

    fn transmit(&mut self, bytes: Vec<u8>) {
        self.unsent_bytes += bytes.len();
        self.outputs.push_back(Output::Transmit(bytes));
        if self.unsent_bytes > UNSENT_BYTES_MAX {
            self.break_off(Broken::Stuck);
        }
    }

    fn break_off(&mut self, broken: Broken) {
        self.phase = Phase::Broken;
        self.received.clear();
        self.outputs.push_back(Output::Broken(broken));
    }

    fn read(&mut self) -> Result<(), Broken> {
        while self.phase == Phase::Authenticating {
            let Some(end) = self.received.windows(2).position(|pair| pair == b"\r\n") else {
                if self.received.len() > LINE_BYTES_MAX {
                    return Err(Broken::NotABus);
                }
                return Ok(());
            };
            let line: Vec<u8> = self.received.drain(..end + 2).collect();
            self.line(&line[..end])?;
        }
        while let Some(length) = Message::length(&self.received)? {
            if self.received.len() < length {
                break;
            }
            let bytes: Vec<u8> = self.received.drain(..length).collect();
            self.message(Message::parse(&bytes)?)?;
        }
        Ok(())
    }

    fn line(&mut self, line: &[u8]) -> Result<(), Broken> {
        match line.split(|byte| *byte == b' ').next() {
            Some(b"DATA") => self.transmit(b"DATA\r\n".to_vec()),
            Some(b"OK") => {
                self.transmit(b"BEGIN\r\n".to_vec());
                self.phase = Phase::Greeting;
                self.hello = self.send(Message::call(BUS, BUS_PATH, BUS, "Hello"));
            }
            Some(b"REJECTED" | b"ERROR") => return Err(Broken::Refused),
            _ => return Err(Broken::NotABus),
        }
        Ok(())
    }

    fn message(&mut self, message: Message) -> Result<(), Broken> {
        if self.phase == Phase::Greeting {
            // Nothing else can come before the answer to Hello.
            let name = message.body.first().and_then(Value::as_str);
            let answers = message.reply_serial == Some(self.hello);
            let (Kind::Return, true, Some(name)) = (message.kind, answers, name) else {
                return Err(Broken::NotABus);
            };
            self.phase = Phase::Ready;
            self.outputs.push_back(Output::Ready(name.to_owned()));
            return Ok(());
        }
        self.outputs.push_back(Output::Message(Box::new(message)));
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sent(connection: &mut Connection) -> Vec<u8> {
        let mut all = Vec::new();
        while let Some(output) = connection.poll_output() {
            match output {
                Output::Transmit(bytes) => all.extend(bytes),
                other => panic!("{other:?}"),
            }
        }
        all
    }

    #[test]
    fn the_way_in_is_taken_byte_by_byte() {
        let mut own = Connection::new();
        assert_eq!(sent(&mut own), b"\0AUTH EXTERNAL\r\n");
        own.handle_bytes(b"DA");
        own.handle_bytes(b"TA\r\n");
        assert_eq!(sent(&mut own), b"DATA\r\n");
        own.handle_bytes(b"OK 0123456789abcdef\r\n");
        let out = sent(&mut own);
        let hello = out.strip_prefix(b"BEGIN\r\n").unwrap();
        let hello = Message::parse(hello).unwrap();
        assert!(hello.is(BUS, "Hello"));
        let mut answer = Message::answer(&hello).with(vec![Value::str(":1.3")]);
        answer.serial = 1;
        for byte in answer.to_bytes() {
            own.handle_bytes(&[byte]);
        }
        assert_eq!(own.poll_output(), Some(Output::Ready(":1.3".to_owned())));
    }

    #[test]
    fn what_is_no_bus_ends_the_connection() {
        for (bytes, broken) in [
            (&b"REJECTED EXTERNAL\r\n"[..], Broken::Refused),
            (b"HTTP/1.1 400 Bad Request\r\n", Broken::NotABus),
            (&[b'x'; 600], Broken::NotABus),
        ] {
            let mut own = Connection::new();
            sent(&mut own);
            own.handle_bytes(bytes);
            assert_eq!(own.poll_output(), Some(Output::Broken(broken)));
        }
    }
}
