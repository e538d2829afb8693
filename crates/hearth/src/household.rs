//! The household: from its file, or a made-up one for drills.
use std::io::{ErrorKind, Read};
use std::path::Path;

use hearthline_emergency::numbers::Country;
use hearthline_emergency::profile::EmergencyProfile;
use hearthline_emergency::target::SipUri;
use hearthline_speaker::config::{CONFIG_BYTES_MAX, Household};

use crate::place::{HOME_FILE, home_folder};

/// The household of the demo. Every name and number is fictional.
const DRILL_HOUSEHOLD: &str = r#"
[device]
name = "Kitchen"
country = "US"

[emergency]
mode = "announced"
cancel_window_s = 5

[address]
country = "US"
A1 = "NM"
A3 = "Exampleton"
RD = "Juniper"
STS = "Road"
HNO = "42"
LOC = "kitchen"
PC = "00000"

[point]
latitude = 35.08
longitude = -106.4
radius_m = 30.0

[person]
name = "Drill Household"
callback = "+15055550123"
languages = ["en"]
"#;

/// Reads the household's file, or gives the drill household.
///
/// # Errors
/// Says which key of the file is wrong.
pub(crate) fn read(file: Option<&Path>) -> Result<Household, String> {
    let Some(file) = file else {
        return Household::parse(DRILL_HOUSEHOLD).map_err(|error| error.to_string());
    };
    let text = text_of(file).map_err(|error| named(file, &error))?;
    parse(file, &text)
}

/// The same for a device in its folder: where its file names no home, the one that it has joined.
///
/// # Errors
/// As [`read`], of both files.
pub(crate) fn read_for(file: Option<&Path>, device: &Path) -> Result<Household, String> {
    let mut household = read(file)?;
    if household.household.is_some() {
        return Ok(household);
    }
    let joined = home_folder(device).join(HOME_FILE);
    match text_of(&joined) {
        Ok(text) => {
            let home = parse(&joined, &format!("{DRILL_HOUSEHOLD}\n{text}"))?.household;
            let name = home.as_ref().and_then(|home| home.name.clone());
            if let (None, Some(name)) = (file, name) {
                household.device.name = name;
            }
            household.household = home;
        }
        Err(error) if error.kind() == ErrorKind::NotFound => {}
        Err(error) => return Err(named(&joined, &error)),
    }
    Ok(household)
}

/// The one country whose numbers are dialled in this household: `EU` is none, then the address names it.
pub(crate) fn numbers_country(household: &Household) -> Option<Country> {
    let address = household.address.get("country").map(String::as_str);
    [Some(household.device.country.as_str()), address]
        .into_iter()
        .flatten()
        .find_map(|code| Country::from_code(&code.trim().to_ascii_uppercase()))
}

/// What the hub tells a call-taker of the home when a telephone calls that says nothing itself, and the number at which
/// the home is called back. The room is left out: a telephone may stand in any.
///
/// # Errors
/// Says which part of the household cannot stand in a call.
pub(crate) fn hub_profile(household: &Household, domain: &str) -> Result<EmergencyProfile, String> {
    let mut home = household.clone();
    home.address.remove("LOC");
    home.device.name = home.person.name.clone();
    let contact = SipUri::parse(&format!("sip:hub@{domain}")).map_err(|error| error.to_string())?;
    // The hub puts its own key there.
    let profile = home.profile(contact, String::new());
    let mut profile = profile.map_err(|error| error.to_string())?;
    profile.device.name = "Hub".to_owned();
    Ok(profile)
}

fn named(file: &Path, error: &dyn std::fmt::Display) -> String {
    format!("{}: {error}", file.display())
}

/// A file's text, within the limit.
pub(crate) fn text_of(file: &Path) -> std::io::Result<String> {
    // Read no further than the limit: a device file has no end, and its size says 0.
    let mut text = String::new();
    std::fs::File::open(file)?
        .take(CONFIG_BYTES_MAX as u64 + 1)
        .read_to_string(&mut text)?;
    if text.len() > CONFIG_BYTES_MAX {
        let why = format!("a household's file has at most {CONFIG_BYTES_MAX} bytes");
        return Err(std::io::Error::other(why));
    }
    Ok(text)
}

/// Reads a text of this file: what it names lies beside it.
///
/// # Errors
/// As [`read`].
pub(crate) fn parse(file: &Path, text: &str) -> Result<Household, String> {
    let mut household = Household::parse(text).map_err(|error| named(file, &error))?;
    // What it names lies beside the file, wherever the program was started.
    let folder = file.parent().unwrap_or(Path::new(""));
    let lines = household.lines.iter_mut();
    for password in lines.filter_map(|line| line.password_file.as_mut()) {
        *password = folder.join(&*password);
    }
    for file in household.music.files() {
        *file = folder.join(&*file);
    }
    for file in household.house_files() {
        *file = folder.join(&*file);
    }
    if let Some(key) = household
        .model
        .as_mut()
        .and_then(|model| model.key_file.as_mut())
    {
        *key = folder.join(&*key);
    }
    if let Some(home) = &mut household.household {
        for file in [&mut home.certificate, &mut home.key, &mut home.authority] {
            *file = folder.join(&*file);
        }
    }
    if let Some(key) = &mut household.esphome.key_file {
        *key = folder.join(&*key);
    }
    if let Some(roots) = &mut household.hub.tls_roots {
        *roots = folder.join(&*roots);
    }
    Ok(household)
}

#[cfg(test)]
mod tests {
    #[test]
    fn the_drill_household_is_valid() {
        super::read(None).unwrap();
    }

    #[test]
    fn the_documented_household_is_valid_and_its_password_lies_beside_it() {
        let file = concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs/household.toml");
        let household = super::read(Some(file.as_ref())).unwrap();
        assert_eq!(household.lines().unwrap().len(), 3);
        let password = household.lines[1].password_file.as_ref().unwrap();
        assert!(password.ends_with("docs/trunk.password"), "{password:?}");
    }
}
