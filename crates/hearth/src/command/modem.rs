//! `hearth modem`: a mobile modem as a line of the home.
use std::net::SocketAddr;

use clap::{Args, Subcommand};
use hearthline_emergency::numbers::Country;
use hearthline_modem::io::{BusAddress, ServeConfig, SoundCommands, start, status};
use hearthline_modem::line::Event;
use hearthline_modem::stand_in::StandIn;

use crate::exit::Exit;
use crate::print::out;

/// What to do with the modem.
#[derive(Debug, Subcommand)]
pub(crate) enum Action {
    /// Is there a modem, and can it make calls? Changes nothing.
    Status(StatusArguments),
    /// Be a line: a SIP gateway on this machine that calls through the modem.
    Serve(ServeArguments),
    /// Be a ModemManager without a modem: the far end answers every call with a tone.
    StandIn(StandInArguments),
}

// Which bus. No doc comment: clap would give it to the commands that this stands in.
#[derive(Debug, Args)]
pub(crate) struct BusArguments {
    /// Address of a private D-Bus. The system's own is refused: this version rings drill stand-ins only.
    #[arg(long, value_name = "ADDRESS")]
    bus: String,
}

/// Where the stand-in is.
#[derive(Debug, Args)]
#[command(
    after_help = "Examples:\n  dbus-daemon --session --nofork --address=unix:path=/tmp/drill-bus &\n  hearth modem stand-in --bus unix:path=/tmp/drill-bus\n\nIt ends with Ctrl-C. Exit codes: 0 ended, 2 the bus cannot be used."
)]
pub(crate) struct StandInArguments {
    #[command(flatten)]
    bus: BusArguments,
}

/// How it is shown.
#[derive(Debug, Args)]
#[command(
    after_help = "Examples:\n  hearth modem status --bus unix:path=/tmp/drill-bus\n  hearth modem status --bus unix:path=/tmp/drill-bus --json\n\nExit codes: 0 ready, 1 not ready, 2 the address cannot be used."
)]
pub(crate) struct StatusArguments {
    #[command(flatten)]
    bus: BusArguments,
    /// As JSON.
    #[arg(long)]
    json: bool,
}

/// How the line is set up.
#[derive(Debug, Args)]
#[command(
    after_help = "Examples:\n  hearth modem serve --bus unix:path=/tmp/drill-bus --sip 127.0.0.1:5070\n  hearth modem serve --bus unix:path=/tmp/drill-bus --sip 127.0.0.1:5070 --ring 127.0.0.1:5080\n\nThe hub then has a line of kind 'modem' with the server sip:127.0.0.1:5070; --ring is where the hub's lines listen.\nIt ends with Ctrl-C. Exit codes: 0 ended, 2 an address cannot be used."
)]
pub(crate) struct ServeArguments {
    #[command(flatten)]
    bus: BusArguments,
    /// Where the line is reached by SIP, on this machine.
    #[arg(long, value_name = "ADDRESS:PORT", default_value = "127.0.0.1:5070")]
    sip: SocketAddr,
    /// Where calls that come in are sent: the hub's lines, or a speaker. Without it they are left to ring.
    #[arg(long, value_name = "ADDRESS:PORT")]
    ring: Option<SocketAddr>,
    /// Whose emergency numbers are meant, by ISO 3166 code.
    #[arg(long, value_name = "CODE", default_value = "US")]
    country: String,
    /// Command that captures the modem's sound (8 kHz, 16-bit, raw), where the modem names no device for it.
    #[arg(long, value_name = "COMMAND", requires = "playback")]
    capture: Option<String>,
    /// Command that plays to the modem, the same way.
    #[arg(long, value_name = "COMMAND", requires = "capture")]
    playback: Option<String>,
}

/// Runs the command.
pub(crate) fn run(action: &Action) -> Exit {
    let bus = match action {
        Action::Status(arguments) => &arguments.bus,
        Action::Serve(arguments) => &arguments.bus,
        Action::StandIn(arguments) => &arguments.bus,
    };
    let done = BusAddress::parse(&bus.bus)
        .map_err(|error| error.to_string())
        .and_then(|bus| {
            let runtime = tokio::runtime::Builder::new_multi_thread()
                .worker_threads(2)
                .enable_all()
                .build()
                .map_err(|error| error.to_string())?;
            runtime.block_on(async {
                match action {
                    Action::Status(arguments) => show(bus, arguments.json).await,
                    Action::Serve(arguments) => serve(bus, arguments).await,
                    Action::StandIn(_) => stand_in(bus).await,
                }
            })
        });
    done.unwrap_or_else(|why| {
        eprintln!("hearth: {why}");
        Exit::Input
    })
}

async fn show(bus: BusAddress, json: bool) -> Result<Exit, String> {
    let found = status(bus).await.map_err(|error| error.to_string())?;
    if json {
        let text = serde_json::to_string_pretty(&found).map_err(|error| error.to_string())?;
        out!("{text}");
    } else {
        out!("{}", found.words);
        if let Some(modem) = &found.modem {
            out!("  modem    {} {}", modem.manufacturer, modem.model);
            let signal = modem.signal_percent.map_or_else(
                || "not measured".to_owned(),
                |percent| format!("{percent} %"),
            );
            out!("  network  {}, signal {signal}", modem.network);
        }
    }
    Ok(if found.health.is_ready() {
        Exit::Ok
    } else {
        Exit::No
    })
}

async fn serve(bus: BusAddress, arguments: &ServeArguments) -> Result<Exit, String> {
    let mut config = ServeConfig::new(bus);
    config.sip = arguments.sip;
    config.ring = arguments.ring;
    config.country = Country::from_code(&arguments.country)
        .ok_or_else(|| format!("no country '{}' is known here", arguments.country))?;
    let words = |text: &String| text.split_whitespace().map(str::to_owned).collect();
    config.sound = arguments
        .capture
        .as_ref()
        .zip(arguments.playback.as_ref())
        .map(|(capture, playback)| SoundCommands {
            capture: words(capture),
            playback: words(playback),
        });
    // The hub keeps messages; without one they stay on the modem.
    config.take_texts = config.ring.is_some();
    let mut line = start(config).await.map_err(|error| error.to_string())?;
    out!("A drill line at sip:{}. Ends with Ctrl-C.", line.sip);
    loop {
        tokio::select! {
            event = line.events.recv() => match event {
                Some(event) => tell(&event),
                None => break,
            },
            _ = tokio::signal::ctrl_c() => break,
        }
    }
    line.stop().await;
    Ok(Exit::Ok)
}

/// One line for each event, without numbers and texts.
fn tell(event: &Event) {
    match event {
        Event::Health(health) => out!("{health}"),
        Event::CallBegan {
            incoming,
            emergency,
        } => {
            let which = if *emergency { "emergency call" } else { "call" };
            let way = if *incoming { "in" } else { "out" };
            out!("{which} {way}");
        }
        Event::CallStands => out!("connected"),
        Event::CallEnded { why } => out!("ended: {why}"),
        Event::Text { .. } | Event::TextSent(_) | Event::TextFailed(_) => {}
    }
}

async fn stand_in(bus: BusAddress) -> Result<Exit, String> {
    let mut own = StandIn::start(bus)
        .await
        .map_err(|error| error.to_string())?;
    out!("A modem that is none, for drills. Ends with Ctrl-C.");
    tokio::select! {
        () = own.wait() => {}
        _ = tokio::signal::ctrl_c() => {}
    }
    Ok(Exit::Ok)
}
