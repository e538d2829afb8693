//! A ModemManager without a modem: the same objects, methods and signals on a private bus, and a pseudo-terminal as the
//! modem's sound. For tests, drills and whoever has no modem.
//!
//! ```text
//! dbus-daemon ◄─ the service's name and the stand-in's ─ StandIn ─ orders: ring, hang up, press, text, unplug, lie
//! /dev/pts/N  ◄─ what the far end says, 8 kHz ──────────────┘  └─► what it heard
//! ```
//! What the far end does with a call is a [`Plan`]. What it says is a tone, or any samples.

mod calls;
mod objects;
mod sound;
mod texts;

use std::collections::BTreeMap;
use std::io;
use std::time::Duration;

use tokio::sync::{mpsc, oneshot};
use tokio::task::JoinHandle;
use tokio::time::Instant;

use crate::dbus::{self, BUS, BUS_PATH, Connection, Kind, Message, Value};
use crate::io::{BusAddress, BusNews, BusSocket};
use crate::service::{CallState, CallStateReason, MODEM, ROOT, SERVICE, STAND_IN};
use objects::Objects;
use sound::FarEnd;

/// The modem's object.
pub const MODEM_PATH: &str = "/org/freedesktop/ModemManager1/Modem/0";
/// Its card's object.
pub const SIM_PATH: &str = "/org/freedesktop/ModemManager1/SIM/0";

/// Orders that may wait.
const WAITING_MAX: usize = 256;
/// `DBUS_NAME_FLAG_DO_NOT_QUEUE`.
const DO_NOT_QUEUE: u32 = 4;

/// What the far end does with a call that is placed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Plan {
    /// Rings, and answers after so long.
    Answer(Duration),
    /// Is busy.
    Busy,
    /// Rings and is never answered; the network gives up after so long.
    NoAnswer(Duration),
    /// The network fails.
    NetworkFails,
    /// The modem refuses to dial, with this error of ModemManager's: `Connection.NoDialtone`.
    Refuse(String),
    /// The modem takes the order and does nothing.
    Hang,
    /// Answers at once, and the modem names no sound device.
    WithoutSound,
    /// Answers at once, and the modem names this as its sound device.
    SoundAt(String),
    /// Answers at once, and the device gives no sound.
    SilentSound,
}

/// What a stand-in has seen.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Seen {
    /// Numbers that were dialled, in order.
    pub dialled: Vec<String>,
    /// Digits that were pressed.
    pub digits: String,
    /// Calls that exist now.
    pub calls: usize,
    /// Of them, connected.
    pub connected: usize,
    /// Texts that were sent: number and text.
    pub texts: Vec<(String, String)>,
    /// Texts that lie on the modem.
    pub stored: usize,
    /// What the far end heard: samples at 8 kHz, of the last call.
    pub heard: Vec<i16>,
}

enum Order {
    Plan(Plan),
    Ring(String),
    HangUp,
    Press(char),
    Text(String, String, bool),
    Complete,
    Say(Vec<i16>),
    Set(&'static str, &'static str, String, Value),
    Unplug,
    Plug,
    Send(Box<Message>),
    FailTexts(bool),
    BreakSound,
    Seen(oneshot::Sender<Seen>),
    Ready(oneshot::Sender<()>),
}

/// A running stand-in. Dropping it takes it off the bus.
pub struct StandIn {
    orders: mpsc::Sender<Order>,
    task: JoinHandle<()>,
}

impl StandIn {
    /// Starts it, and waits until it has its names.
    ///
    /// # Errors
    /// When the bus is not there, or does not give the names.
    pub async fn start(bus: BusAddress) -> io::Result<Self> {
        Self::start_as(bus, true).await
    }

    /// Starts one that does not say that it is a stand-in, as a real ModemManager does not.
    ///
    /// # Errors
    /// As [`StandIn::start`].
    pub async fn start_unmarked(bus: BusAddress) -> io::Result<Self> {
        Self::start_as(bus, false).await
    }

    async fn start_as(bus: BusAddress, marked: bool) -> io::Result<Self> {
        let (news, from_bus) = mpsc::channel(WAITING_MAX);
        let (orders, asked) = mpsc::channel(WAITING_MAX);
        let service = Service {
            socket: BusSocket::open(bus, 1, news),
            connection: None,
            marked,
            ready: false,
            waiting: Vec::new(),
            objects: Objects::with_modem(),
            plan: Plan::Answer(Duration::from_millis(50)),
            calls: BTreeMap::new(),
            last_object: 0,
            due: Vec::new(),
            far_end: None,
            says: sound::tone(1_000),
            texts_fail: false,
            seen: Seen::default(),
        };
        let task = tokio::spawn(service.work(from_bus, asked));
        let own = Self { orders, task };
        let (ready, waiting) = oneshot::channel();
        own.order(Order::Ready(ready)).await;
        let failed = || io::Error::other("the bus is not there, or does not give the names");
        let until = tokio::time::timeout(Duration::from_secs(5), waiting).await;
        until.map_err(|_| failed())?.map_err(|_| failed())?;
        Ok(own)
    }

    async fn order(&self, order: Order) {
        // A stand-in that has ended does nothing more.
        let _ = self.orders.send(order).await;
    }

    /// What the far end does from the next call on.
    pub async fn set_plan(&self, plan: Plan) {
        self.order(Order::Plan(plan)).await;
    }

    /// Somebody calls; an empty number is withheld.
    pub async fn ring(&self, number: &str) {
        self.order(Order::Ring(number.to_owned())).await;
    }

    /// The far end hangs up.
    pub async fn hang_up(&self) {
        self.order(Order::HangUp).await;
    }

    /// The far end presses a digit.
    pub async fn press(&self, digit: char) {
        self.order(Order::Press(digit)).await;
    }

    /// A short message arrives, whole.
    pub async fn text(&self, number: &str, text: &str) {
        let order = Order::Text(number.to_owned(), text.to_owned(), true);
        self.order(order).await;
    }

    /// A short message arrives in parts; [`StandIn::complete_text`] brings the last.
    pub async fn text_in_parts(&self, number: &str, text: &str) {
        let order = Order::Text(number.to_owned(), text.to_owned(), false);
        self.order(order).await;
    }

    /// The last part arrives.
    pub async fn complete_text(&self) {
        self.order(Order::Complete).await;
    }

    /// Whether the network takes texts.
    pub async fn fail_texts(&self, fail: bool) {
        self.order(Order::FailTexts(fail)).await;
    }

    /// What the far end says from now on, 8 kHz, repeated.
    pub async fn say(&self, samples: Vec<i16>) {
        self.order(Order::Say(samples)).await;
    }

    /// A property of the modem or its card is another now, and the bus hears of it.
    pub async fn set(&self, path: &'static str, interface: &'static str, name: &str, value: Value) {
        let order = Order::Set(path, interface, name.to_owned(), value);
        self.order(order).await;
    }

    /// The modem is unplugged.
    pub async fn unplug(&self) {
        self.order(Order::Unplug).await;
    }

    /// It is plugged in again.
    pub async fn plug(&self) {
        self.order(Order::Plug).await;
    }

    /// Sends any message, true or not.
    pub async fn send(&self, message: Message) {
        self.order(Order::Send(Box::new(message))).await;
    }

    /// The sound device goes away in the middle of a call, and with the next opening is there again.
    pub async fn break_sound(&self) {
        self.order(Order::BreakSound).await;
    }

    /// What it has seen so far.
    pub async fn seen(&self) -> Seen {
        let (answer, waiting) = oneshot::channel();
        self.order(Order::Seen(answer)).await;
        waiting.await.unwrap_or_default()
    }

    /// Leaves the bus, as a service that crashes.
    pub async fn leave(&mut self) {
        self.task.abort();
        self.wait().await;
    }

    /// Waits until it ends, which it does when the bus does.
    pub async fn wait(&mut self) {
        let _ = (&mut self.task).await;
    }
}

impl Drop for StandIn {
    fn drop(&mut self) {
        self.task.abort();
    }
}

/// One call.
#[derive(Debug, Clone)]
struct Call {
    state: CallState,
    outgoing: bool,
}

/// What happens to a call at a time.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Due {
    at: Instant,
    path: String,
    state: CallState,
    reason: CallStateReason,
}

/// The task that owns the objects.
struct Service {
    socket: BusSocket,
    connection: Option<Connection>,
    marked: bool,
    ready: bool,
    waiting: Vec<oneshot::Sender<()>>,
    objects: Objects,
    plan: Plan,
    calls: BTreeMap<String, Call>,
    last_object: u64,
    due: Vec<Due>,
    far_end: Option<FarEnd>,
    says: Vec<i16>,
    texts_fail: bool,
    seen: Seen,
}

impl Service {
    async fn work(
        mut self,
        mut from_bus: mpsc::Receiver<BusNews>,
        mut orders: mpsc::Receiver<Order>,
    ) {
        loop {
            self.drain();
            let at = self.due.iter().map(|due| due.at).min();
            let wake = async {
                match at {
                    Some(at) => tokio::time::sleep_until(at).await,
                    None => std::future::pending().await,
                }
            };
            tokio::select! {
                news = from_bus.recv() => match news {
                    Some(BusNews::Opened(_)) => self.connection = Some(Connection::new()),
                    Some(BusNews::Bytes(_, bytes)) => {
                        if let Some(connection) = &mut self.connection {
                            connection.handle_bytes(&bytes);
                        }
                    }
                    Some(BusNews::Closed(_)) | None => return,
                },
                order = orders.recv() => match order {
                    Some(order) => self.obey(order),
                    None => return,
                },
                () = wake => self.run_due(),
            }
        }
    }

    fn drain(&mut self) {
        while let Some(output) = self.connection.as_mut().and_then(Connection::poll_output) {
            match output {
                dbus::Output::Transmit(bytes) => {
                    self.socket.send(bytes);
                }
                dbus::Output::Ready(_) => self.take_names(),
                dbus::Output::Message(message) => match message.kind {
                    Kind::Call => {
                        let answer = self.answer(&message);
                        if !message.no_reply {
                            self.send(answer);
                        }
                    }
                    // The answer to the last request for a name.
                    Kind::Return if !self.ready => {
                        let owner = message.body.first().and_then(Value::as_number) == Some(1);
                        self.ready = owner && message.reply_serial == Some(self.last_name());
                    }
                    _ => {}
                },
                dbus::Output::Broken(_) => self.connection = None,
            }
        }
        if self.ready {
            for waiting in self.waiting.drain(..) {
                let _ = waiting.send(());
            }
        }
    }

    /// The number of the last request for a name: Hello is 1.
    fn last_name(&self) -> u32 {
        if self.marked { 3 } else { 2 }
    }

    fn take_names(&mut self) {
        let marked = self.marked.then_some(STAND_IN);
        for name in marked.into_iter().chain([SERVICE]) {
            let request = Message::call(BUS, BUS_PATH, BUS, "RequestName");
            self.send(request.with(vec![Value::str(name), Value::U32(DO_NOT_QUEUE)]));
        }
    }

    fn send(&mut self, message: Message) {
        if let Some(connection) = &mut self.connection {
            connection.send(message);
        }
    }

    fn obey(&mut self, order: Order) {
        match order {
            Order::Plan(plan) => self.plan = plan,
            Order::Ring(number) => self.ring_in(&number),
            Order::HangUp => self.far_end_hangs_up(),
            Order::Press(digit) => self.far_end_presses(digit),
            Order::Text(number, text, whole) => self.text_arrives(&number, &text, whole),
            Order::Complete => self.text_completes(),
            Order::Say(samples) => {
                self.says.clone_from(&samples);
                if let Some(far_end) = &self.far_end {
                    far_end.say(samples);
                }
            }
            Order::Set(path, interface, name, value) => {
                self.set_property(path, interface, &name, value);
            }
            Order::Unplug => {
                let names: Vec<String> = self.objects.interfaces(MODEM_PATH);
                self.objects.hide(MODEM_PATH);
                self.calls.clear();
                self.far_end = None;
                let names = Value::strings(names.iter().map(String::as_str));
                let signal = Message::signal(ROOT, crate::service::OBJECTS, "InterfacesRemoved");
                self.send(signal.with(vec![Value::path(MODEM_PATH), names]));
            }
            Order::Plug => {
                self.objects.show(MODEM_PATH);
                let interfaces = self.objects.all(MODEM_PATH);
                let signal = Message::signal(ROOT, crate::service::OBJECTS, "InterfacesAdded");
                self.send(signal.with(vec![Value::path(MODEM_PATH), interfaces]));
            }
            Order::Send(message) => self.send(*message),
            Order::FailTexts(fail) => self.texts_fail = fail,
            Order::BreakSound => self.break_sound(),
            Order::Seen(answer) => {
                let mut seen = self.seen.clone();
                seen.calls = self.calls.len();
                let connected = |call: &&Call| call.state == CallState::Active;
                seen.connected = self.calls.values().filter(connected).count();
                seen.stored = self.objects.texts().len();
                if let Some(far_end) = &self.far_end {
                    seen.heard = far_end.heard();
                }
                let _ = answer.send(seen);
            }
            Order::Ready(waiting) => self.waiting.push(waiting),
        }
    }

    fn set_property(&mut self, path: &str, interface: &str, name: &str, value: Value) {
        self.objects.set(path, interface, name, value.clone());
        let changed = Value::properties([(name.to_owned(), value)]);
        let signal = Message::signal(path, crate::service::PROPERTIES, "PropertiesChanged");
        let body = vec![Value::str(interface), changed, Value::strings([])];
        self.send(signal.with(body));
    }

    fn next_path(&mut self, kind: &str) -> String {
        self.last_object += 1;
        format!("{ROOT}/{kind}/{}", self.last_object)
    }

    fn answer(&mut self, call: &Message) -> Message {
        let (Some(path), Some(member)) = (&call.path, &call.member) else {
            return refusal(call, "UnknownMethod");
        };
        let interface = call.interface.clone().unwrap_or_default();
        if let Some(answer) = self.objects.answer(call) {
            return answer;
        }
        let (path, member) = (path.clone(), member.clone());
        match interface.as_str() {
            crate::service::VOICE if path == MODEM_PATH => self.voice(call, &member),
            crate::service::CALL => self.call(call, &path, &member),
            crate::service::MESSAGING if path == MODEM_PATH => self.messaging(call, &member),
            crate::service::SMS => self.sms(call, &path, &member),
            MODEM if path == MODEM_PATH && member == "Enable" => Message::answer(call),
            _ => refusal(call, "UnknownMethod"),
        }
    }
}

/// An error of D-Bus's own.
fn refusal(call: &Message, error: &str) -> Message {
    let error = format!("org.freedesktop.DBus.Error.{error}");
    Message::refusal(call, &error, "not here")
}

/// An error of ModemManager's.
fn modem_error(call: &Message, error: &str) -> Message {
    let error = format!("org.freedesktop.ModemManager1.Error.{error}");
    Message::refusal(call, &error, "refused by the stand-in's plan")
}
