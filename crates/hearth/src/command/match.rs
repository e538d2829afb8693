//! `hearth match`: what a sentence means, and why.
use std::fmt::Write as _;
use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::time::SystemTime;

use clap::Args;
use hearthline_speaker::skill::agenda::Zone;
use hearthline_speaker::skill::knowing::worked_out;
use hearthline_voice::understand::sentences::{
    House, Moment, Program, Recognition, Responses, SlotFrom, Whose, World, left_by_emergency,
};
use hearthline_voice::understand::{Country, Intent, household, read};
use serde::Serialize;
use serde_json::{Map, Value};

use crate::compiled;
use crate::exit::Exit;
use crate::models::{Look, ModelFolder, SENTENCES};
use crate::print::out;

/// Longest line of a file of rows, in bytes.
const ROW_BYTES_MAX: usize = 8 * 1024 * 1024;
/// The room of a row that needs one and names none, as the conformance suite writes it.
const SOME_ROOM: &str = "__context_area__";
/// The moment at which the conformance suite's responses were written.
const SUITE_MOMENT: Moment = Moment {
    year: 2013,
    month: 9,
    day: 17,
    hour: 1,
    minute: 2,
};

/// What to read.
#[derive(Debug, Args)]
#[command(
    after_help = "Examples:\n  hearth match turn on the lights in here --area Kitchen\n  hearth match --house home.json \"is the back door open?\"\n  hearth match --language de Wie spät ist es\n  hearth match --json --language en --rows rows.jsonl\n\nA house is {\"entities\": [{\"name\", \"domain\", \"state\", \"area\", \"attributes\"}], \"areas\": [{\"name\", \"floor\"}],\n\"floors\": [{\"name\"}], \"context_area\", \"timers\", \"media\"}; a row of --rows has these and \"id\" and \"sentence\".\nYour own sentences are read from custom_sentences/LANGUAGE/*.yaml in the folder of --custom.\n\nExit codes: 0 understood (with --rows: every row was read), 1 not understood, 2 a file cannot be used,\n3 the sentences are missing."
)]
pub(crate) struct Arguments {
    /// The sentence; several words need no quotes.
    #[arg(required_unless_present = "rows")]
    sentence: Vec<String>,
    /// Language of the sentences.
    #[arg(short, long, value_name = "CODE", default_value = "en")]
    language: String,
    /// Devices, areas and floors, in JSON.
    #[arg(long, value_name = "FILE.json")]
    house: Option<PathBuf>,
    /// The room in which the speaker stands.
    #[arg(long, value_name = "NAME")]
    area: Option<String>,
    /// The folder with custom_sentences/LANGUAGE/*.yaml [default: the configuration folder].
    #[arg(long, value_name = "FOLDER")]
    custom: Option<PathBuf>,
    /// Read rows with a sentence and its own house each, one JSON object a line.
    #[arg(long, value_name = "FILE.jsonl", conflicts_with_all = ["sentence", "house", "area"])]
    rows: Option<PathBuf>,
    /// Write one JSON object a line.
    #[arg(long)]
    json: bool,
}

/// Runs the command.
pub(crate) fn run(arguments: &Arguments) -> Exit {
    match understand(arguments) {
        Ok(exit) => exit,
        Err((why, exit)) => {
            if !why.is_empty() {
                eprintln!("hearth: {why}");
            }
            exit
        }
    }
}

fn understand(arguments: &Arguments) -> Result<Exit, (String, Exit)> {
    let folder = ModelFolder::locate().map_err(|why| (why, Exit::Input))?;
    match super::models::install_of(&folder, SENTENCES, Look::Sizes) {
        Exit::Ok => {}
        other => return Err((String::new(), other)),
    }
    let program = compiled::program(&folder, &arguments.language, arguments.custom.as_deref())?;
    let responses = Responses::new();
    if let Some(rows) = &arguments.rows {
        return read_rows(rows, arguments, &program, &responses);
    }
    let mut house = match &arguments.house {
        Some(path) => house(path).map_err(|why| (why, Exit::Input))?,
        None => House::default(),
    };
    if let Some(area) = &arguments.area {
        house.set_context_area(area);
    }
    let sentence = arguments.sentence.join(" ");
    let (now, now_ms) = now();
    let mut answer = Answer::to(&program, &responses, &sentence, &house, now);
    answer.look_beside(&arguments.language, now_ms);
    if arguments.json {
        out!("{}", answer.json(&Value::Null));
    } else {
        out!("{}", answer.text(&arguments.language));
    }
    Ok(if answer.meant.is_some() || answer.beside.is_some() {
        Exit::Ok
    } else {
        Exit::No
    })
}

fn house(path: &Path) -> Result<House, String> {
    let bytes = std::fs::read(path).map_err(|error| format!("{}: {error}", path.display()))?;
    let value: Value = serde_json::from_slice(&bytes)
        .map_err(|error| format!("{}: not JSON: {error}", path.display()))?;
    House::from_json(&value).map_err(|why| format!("{}: {why}", path.display()))
}

fn read_rows(
    path: &Path,
    arguments: &Arguments,
    program: &Program,
    responses: &Responses,
) -> Result<Exit, (String, Exit)> {
    let at = |line: usize, why: &str| (format!("{}:{line}: {why}", path.display()), Exit::Input);
    let file = std::fs::File::open(path).map_err(|error| at(0, &error.to_string()))?;
    for (line, text) in BufReader::new(file).lines().enumerate() {
        let line = line + 1;
        let text = text.map_err(|error| at(line, &error.to_string()))?;
        if text.trim().is_empty() {
            continue;
        }
        if text.len() > ROW_BYTES_MAX {
            return Err(at(line, "the row is longer than 8 MiB"));
        }
        let row: Value =
            serde_json::from_str(&text).map_err(|error| at(line, &error.to_string()))?;
        let sentence = row
            .get("sentence")
            .and_then(Value::as_str)
            .ok_or_else(|| at(line, "\"sentence\" with text is expected"))?;
        let mut house = House::from_json(&row).map_err(|why| at(line, &why))?;
        if house.context_area().is_none() {
            house.set_context_area(SOME_ROOM);
        }
        let answer = Answer::to(program, responses, sentence, &house, SUITE_MOMENT);
        let id = row.get("id").cloned().unwrap_or(Value::Null);
        if arguments.json {
            out!("{}", answer.json(&id));
        } else {
            out!("{id} {}", answer.text(&arguments.language));
        }
    }
    Ok(Exit::Ok)
}

/// A sentence and what came of it.
struct Answer<'a> {
    sentence: &'a str,
    meant: Option<Recognition>,
    /// The emergency reading has it: nothing else reads it.
    taken: bool,
    /// What the speaker makes of it without these sentences.
    beside: Option<Beside>,
    response: String,
    broken: Option<String>,
}

/// What a speaker reads that stands in no sentence file.
enum Beside {
    /// Calls, messages and volume, before any sentence.
    Act(Intent),
    /// Times, days, sums and units, read out of the words.
    Known(String),
}

/// One line of `--json`.
#[derive(Serialize)]
struct Row<'a> {
    id: &'a Value,
    intent: Option<&'a str>,
    slot_combination: Option<&'a str>,
    slots: Map<String, Value>,
    response: Option<&'a str>,
}

impl<'a> Answer<'a> {
    fn to(
        program: &Program,
        responses: &Responses,
        sentence: &'a str,
        house: &House,
        now: Moment,
    ) -> Self {
        let taken = program.language().starts_with("en")
            && !left_by_emergency(&read(sentence, Country::UnitedStates));
        let meant = if taken {
            None
        } else {
            program.recognise(sentence, &house.lists(), &house.context())
        };
        let world = World { house, now };
        let (response, broken) = match meant
            .as_ref()
            .map(|meant| responses.render(program, meant, &world))
        {
            Some(Ok(response)) => (response, None),
            Some(Err(error)) => (String::new(), Some(error.to_string())),
            None => (String::new(), None),
        };
        Self {
            sentence,
            meant,
            taken,
            beside: None,
            response,
            broken,
        }
    }

    /// Looks at it as the speaker does, which reads calls, messages and volume before any sentence, and what it can
    /// work out by itself where no sentence matches. English alone.
    fn look_beside(&mut self, language: &str, now_ms: i64) {
        if !language.starts_with("en") {
            return;
        }
        // It leaves by itself whatever speaks of an emergency.
        if let Some(intent) = household::read(self.sentence, Country::UnitedStates, None) {
            self.meant = None;
            self.beside = Some(Beside::Act(intent));
        } else if self.meant.is_none() && !self.taken {
            let known = worked_out(self.sentence, &Zone::utc(), now_ms);
            self.beside = known.map(Beside::Known);
        }
    }

    /// What the room filled in is not among the slots: the sentence did not say it.
    fn json(&self, id: &Value) -> String {
        if let Some(beside) = &self.beside {
            return beside.json(id);
        }
        let slots = self.meant.iter().flat_map(|meant| &meant.slots);
        let row = Row {
            id,
            intent: self.meant.as_ref().map(|meant| meant.intent.as_str()),
            slot_combination: self
                .meant
                .as_ref()
                .and_then(|meant| meant.combination.as_deref()),
            slots: slots
                .filter(|slot| slot.from != SlotFrom::Context)
                .map(|slot| (slot.name.clone(), slot.value.to_json()))
                .collect(),
            response: self.meant.as_ref().map(|_| self.response.as_str()),
        };
        serde_json::to_string(&row).expect("strings and plain values serialise")
    }

    fn text(&self, language: &str) -> String {
        let mut out = self.sentence.to_owned();
        if let Some(beside) = &self.beside {
            out.push_str(&beside.text());
            return out;
        }
        let Some(meant) = &self.meant else {
            out.push_str(if self.taken {
                "\n  nothing: the emergency reading takes this sentence, and no other may read it"
            } else {
                "\n  nothing: no sentence of this language matches"
            });
            let _ = write!(out, " ({language})");
            return out;
        };
        let combination = meant
            .combination
            .as_deref()
            .map_or(String::new(), |name| format!(" ({name})"));
        let _ = write!(out, "\n  intent    {}{combination}", meant.intent);
        for slot in &meant.slots {
            let from = match slot.from {
                SlotFrom::Block => "by the sentence as a whole".to_owned(),
                SlotFrom::Context => "by the room".to_owned(),
                SlotFrom::List | SlotFrom::Number | SlotFrom::Words => {
                    format!("said \"{}\"", slot.said)
                }
            };
            let _ = write!(
                out,
                "\n  slot      {} = {} ({from})",
                slot.name,
                slot.value.spoken()
            );
        }
        let _ = match &self.broken {
            Some(why) => write!(out, "\n  response  none: {why}"),
            None => write!(out, "\n  response  {}", self.response),
        };
        let whose = match meant.whose {
            Whose::Owner => "your own",
            Whose::Package => "the package's",
            Whose::Ours => "the speaker's own",
        };
        let _ = write!(out, "\n  why       {whose} sentence \"{}\"", meant.template);
        if !meant.rivals.is_empty() {
            let _ = write!(
                out,
                "\n  rivals    {}: the speaker asks which is meant",
                meant.rivals.join(", ")
            );
        }
        out
    }
}

impl Beside {
    fn json(&self, id: &Value) -> String {
        let (intent, slots, response) = match self {
            Self::Act(intent) => {
                let slots = intent.slots.iter();
                let slots = slots.map(|(name, value)| (name.clone(), Value::from(value.as_str())));
                (Some(intent.name.as_str()), slots.collect(), None)
            }
            Self::Known(words) => (None, Map::new(), Some(words.as_str())),
        };
        let row = Row {
            id,
            intent,
            slot_combination: None,
            slots,
            response,
        };
        serde_json::to_string(&row).expect("strings and plain values serialise")
    }

    fn text(&self) -> String {
        match self {
            Self::Act(intent) => {
                let mut out = format!("\n  intent    {}", intent.name);
                for (name, value) in &intent.slots {
                    let _ = write!(out, "\n  slot      {name} = {value}");
                }
                out + "\n  why       the speaker's own reading of calls, messages and volume, before any sentence"
            }
            Self::Known(words) => format!(
                "\n  response  {words}\n  why       worked out from the words (times, days, sums and units), in universal time"
            ),
        }
    }
}

/// The moment now, in universal time: the machine's zone is the speaker's business, not this command's.
fn now() -> (Moment, i64) {
    let since = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH);
    let ms = since.map_or(0, |since| {
        i64::try_from(since.as_millis()).unwrap_or(i64::MAX)
    });
    (Moment::from_unix_ms(ms), ms)
}
