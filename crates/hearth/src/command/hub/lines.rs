//! `hearth hub lines`: the ways to the outside telephone network, in the order in which they are tried.
use std::path::PathBuf;

use clap::{Args, Subcommand, ValueEnum};
use hearthline_hub::control::{self, Done, Wish};
use hearthline_hub::line::{
    AccountName, DrillAddress, Line, LineFields, LineHealth, LineKind, LineServer, LineTrouble,
    SipLine, UnknownCallers,
};
use hearthline_hub::number::Number;

use super::{Failure, Place, named, password};
use crate::print::out;

/// What is done with the lines; without more they are shown.
#[derive(Debug, Args)]
#[command(args_conflicts_with_subcommands = true)]
pub(super) struct Arguments {
    #[command(subcommand)]
    work: Option<Work>,
    #[command(flatten)]
    shown: Shown,
}

/// How the lines are shown.
#[derive(Debug, Args)]
struct Shown {
    #[command(flatten)]
    place: Place,
    /// One JSON array instead of text.
    #[arg(long)]
    json: bool,
}

#[derive(Debug, Subcommand)]
enum Work {
    /// Add a line, behind the others.
    Add(Box<New>),
    /// Remove a line and its password.
    Remove {
        /// Its name or id.
        line: String,
        #[command(flatten)]
        shown: Shown,
    },
    /// Put lines first, in this order; the others follow as they stood.
    Order {
        /// Their names or ids.
        #[arg(required = true)]
        lines: Vec<String>,
        #[command(flatten)]
        shown: Shown,
    },
}

/// A new line.
#[derive(Debug, Args)]
struct New {
    /// What people will call it: `Landline`.
    name: String,
    /// Where it is: `sip:127.0.0.1:5070`, with `;transport=tcp` or `;transport=tls` where it wants that. Only this machine
    /// in this version.
    #[arg(long, value_name = "URI")]
    server: String,
    /// What it is.
    #[arg(long, value_enum, default_value_t = Kind::SipTrunk)]
    kind: Kind,
    /// The account's name there.
    #[arg(long, requires = "password_file")]
    username: Option<String>,
    /// File that holds the account's password, in one line.
    #[arg(long, value_name = "FILE", requires = "username")]
    password_file: Option<PathBuf>,
    /// Register there, so that calls come in.
    #[arg(long)]
    register: bool,
    /// Drills of the emergency call go over it, addressed by service or by number.
    #[arg(long, value_enum)]
    drill: Option<Drill>,
    /// The number that calls over it show: `+15055550123`.
    #[arg(long, value_name = "NUMBER")]
    caller_number: Option<String>,
    /// What callers meet who are no contact, or show no number.
    #[arg(long, value_enum, default_value_t = Unknown::Ring)]
    unknown_callers: Unknown,
    /// Keep it, but do not use it yet.
    #[arg(long)]
    disabled: bool,
    #[command(flatten)]
    shown: Shown,
}

#[derive(Debug, Clone, Copy, ValueEnum)]
enum Kind {
    SipTrunk,
    Landline,
    Modem,
}

#[derive(Debug, Clone, Copy, ValueEnum)]
enum Drill {
    Service,
    Number,
}

#[derive(Debug, Clone, Copy, ValueEnum)]
enum Unknown {
    Ring,
    Busy,
}

/// Does what is asked, and shows the lines as they are then.
pub(super) async fn act(arguments: &Arguments) -> Result<(), Failure> {
    let (shown, wish) = match &arguments.work {
        None => (&arguments.shown, Wish::Lines),
        Some(Work::Remove { line, shown }) => (shown, Wish::RemoveLine { line: line.clone() }),
        Some(Work::Order { lines, shown }) => {
            let lines = lines.clone();
            (shown, Wish::OrderLines { lines })
        }
        Some(Work::Add(new)) => {
            let secret = new.password_file.as_deref().map(password).transpose()?;
            let last = asked(&new.shown, &Wish::Lines).await?;
            let last = last.iter().map(|line| line.fields.position).max();
            let position = last.map_or(0, |last| last.saturating_add(1));
            let fields = Box::new(new.fields(position)?);
            let password = secret;
            (&new.shown, Wish::AddLine { fields, password })
        }
    };
    let lines = asked(shown, &wish).await?;
    if shown.json {
        let all = serde_json::to_string(&lines);
        out!(
            "{}",
            all.map_err(|error| Failure::Input(error.to_string()))?
        );
    } else {
        show(&lines);
    }
    Ok(())
}

async fn asked(shown: &Shown, wish: &Wish) -> Result<Vec<Line>, Failure> {
    match control::ask(&shown.place.folder()?, wish).await? {
        Done::Lines(lines) => Ok(lines),
        Done::Refused { detail } => Err(Failure::Input(detail)),
        _ => Err(Failure::Input(
            "the hub answers something else; is it of this version?".to_owned(),
        )),
    }
}

/// One line of text for each.
pub(super) fn show(lines: &[Line]) {
    if lines.is_empty() {
        out!(
            "No line to the outside telephone network yet. `hearth hub lines add --help` shows how."
        );
        return;
    }
    for (number, line) in (1_u32..).zip(lines) {
        out!("{}", told(number, line));
    }
}

fn told(number: u32, line: &Line) -> String {
    let fields = &line.fields;
    let health = match (fields.enabled, line.health, line.trouble) {
        (false, ..) => "off".to_owned(),
        (_, LineHealth::Up, _) => "works".to_owned(),
        (_, LineHealth::Unknown, _) => "not tried yet".to_owned(),
        (_, LineHealth::Down, trouble) => {
            let why = trouble.map_or("no reason known", explained);
            format!("does not work: {why}")
        }
    };
    let kind = match fields.kind {
        LineKind::SipTrunk => "SIP trunk",
        LineKind::Landline => "landline",
        LineKind::Modem => "mobile modem",
    };
    let drill = fields.sip.as_ref().and_then(|sip| sip.drill);
    let drill = drill.map_or("", |_| ", carries drills");
    format!(
        "{number}. {name}  {kind}{drill}  {health}\n   id {id}",
        name = fields.name.as_str(),
        id = line.id
    )
}

/// Why, and what to do.
fn explained(trouble: LineTrouble) -> &'static str {
    match trouble {
        LineTrouble::NotSetUp => "it has no server; remove it and add it anew with --server",
        LineTrouble::NoPassword => "its password cannot be read; add it anew with --password-file",
        LineTrouble::AccountRefused => "the server refuses the account or its password",
        LineTrouble::Unreachable => "the server cannot be reached",
        LineTrouble::Silent => "the server says nothing",
        LineTrouble::ServerFails => "the server says that it does not work",
        LineTrouble::Unusable => "it answered a call with nothing to talk by",
        LineTrouble::Loops => "our own calls come back over it",
    }
}

impl New {
    fn fields(&self, position: u8) -> Result<LineFields, Failure> {
        let wrong =
            |what: &str, error: &dyn std::fmt::Display| Failure::Input(format!("{what}: {error}"));
        let server = LineServer::new(&self.server);
        let username = self.username.as_deref().map(AccountName::new).transpose();
        let number = self.caller_number.as_deref().map(Number::new).transpose();
        Ok(LineFields {
            name: named(&self.name)?,
            kind: match self.kind {
                Kind::SipTrunk => LineKind::SipTrunk,
                Kind::Landline => LineKind::Landline,
                Kind::Modem => LineKind::Modem,
            },
            position,
            caller_number: number.map_err(|error| wrong("--caller-number", &error))?,
            forward_to: None,
            enabled: !self.disabled,
            sip: Some(SipLine {
                server: server.map_err(|error| wrong("--server", &error))?,
                username: username.map_err(|error| wrong("--username", &error))?,
                register: self.register,
                drill: self.drill.map(|drill| match drill {
                    Drill::Service => DrillAddress::Service,
                    Drill::Number => DrillAddress::Number,
                }),
            }),
            unknown_callers: match self.unknown_callers {
                Unknown::Ring => UnknownCallers::Ring,
                Unknown::Busy => UnknownCallers::Busy,
            },
            ring_rooms: Vec::new(),
            ring_devices: Vec::new(),
        })
    }
}
