//! `[music]`: folders, servers and stations of the music that this speaker plays.
use std::net::{IpAddr, SocketAddr};
use std::path::PathBuf;

use serde::Deserialize;

use super::{ConfigError, value};

/// Most stations.
const STATIONS_MAX: usize = 500;

/// `[music]`
#[derive(Debug, Clone, PartialEq, Eq, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct MusicSettings {
    /// Folders with MP3, FLAC, WAV and Ogg Opus files: `["/srv/music"]`.
    pub folders: Vec<PathBuf>,
    /// Who plays radio, and what several have: `own`, this speaker, `mpd`, or `home_assistant`.
    pub player: Option<String>,
    /// A Music Player Daemon, which plays by its own loudspeakers.
    pub mpd: Option<MpdSettings>,
    /// A media player of Home Assistant's, by its entity, which plays by its own loudspeakers: `media_player.kitchen`.
    pub home_assistant: Option<String>,
    /// A Subsonic server (Navidrome, Airsonic, Gonic), whose music this speaker plays.
    pub subsonic: Option<SubsonicSettings>,
    /// A Snapcast server, which carries music into rooms.
    pub snapcast: Option<SnapcastSettings>,
    /// Certificates (PEM) of the servers whose addresses begin with https, or of their authority: no other is trusted.
    /// Relative to the household's file.
    pub certificate: Option<PathBuf>,
    /// Radio stations by name.
    #[serde(rename = "station")]
    pub stations: Vec<StationSettings>,
}

/// `[music.mpd]`
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct MpdSettings {
    /// Where it is: `127.0.0.1:6600`. In this version only loopback.
    pub address: SocketAddr,
    /// File with its password in the first line, readable by its owner alone. Relative to the household's file.
    pub password_file: Option<PathBuf>,
}

/// `[music.subsonic]`
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SubsonicSettings {
    /// Where it is: `http://127.0.0.1:4533`. In this version only loopback.
    pub url: String,
    /// The account there.
    pub user: String,
    /// File with its password in the first line, readable by its owner alone. Relative to the household's file.
    pub password_file: PathBuf,
    /// The server cannot check digests (Supysonic): the password itself goes over the wire.
    #[serde(default)]
    pub plain_password: bool,
}

/// `[music.snapcast]`
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SnapcastSettings {
    /// Where it listens for control over TCP: `127.0.0.1:1705`. In this version only loopback.
    pub address: SocketAddr,
}

/// `[[music.station]]`
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct StationSettings {
    /// Its name, as it is spoken: `Radio Seagull`.
    pub name: String,
    /// Its stream (MP3), or a list (`.m3u`, `.pls`) that names it. In this version only on loopback.
    pub url: String,
}

impl MusicSettings {
    /// Whether nothing is set up.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.folders.is_empty()
            && self.home_assistant.is_none()
            && self.mpd.is_none()
            && self.subsonic.is_none()
            && self.snapcast.is_none()
            && self.stations.is_empty()
    }

    /// Whether the daemon plays what both could.
    #[must_use]
    pub fn prefers_mpd(&self) -> bool {
        match self.player.as_deref() {
            Some(player) => player == "mpd",
            None => self.mpd.is_some() && self.has_no_own(),
        }
    }

    /// Whether Home Assistant's player plays what several could.
    #[must_use]
    pub fn prefers_home_assistant(&self) -> bool {
        match self.player.as_deref() {
            Some(player) => player == "home_assistant",
            None => self.home_assistant.is_some() && self.mpd.is_none() && self.has_no_own(),
        }
    }

    fn has_no_own(&self) -> bool {
        self.folders.is_empty() && self.subsonic.is_none()
    }

    /// The files that it names, which stand relative to the household's file.
    pub fn files(&mut self) -> impl Iterator<Item = &mut PathBuf> {
        let mpd = (self.mpd.as_mut()).and_then(|mpd| mpd.password_file.as_mut());
        let subsonic = (self.subsonic.as_mut()).map(|subsonic| &mut subsonic.password_file);
        mpd.into_iter()
            .chain(subsonic)
            .chain(self.certificate.as_mut())
    }

    /// A media player of Home Assistant's is reached by the connection of `[home_assistant]`.
    pub(super) fn has_its_player(&self, connected: bool) -> Result<(), ConfigError> {
        match &self.home_assistant {
            Some(_) if !connected => {
                let why = "names a media player, but there is no [home_assistant]";
                Err(value("music", "home_assistant", why))
            }
            _ => Ok(()),
        }
    }

    pub(super) fn check(&self) -> Result<(), ConfigError> {
        const BEYOND: &str = "leads beyond this machine; this version stays on 127.0.0.1 and [::1]";
        let wrong = |key: &str, why: &str| Err(value("music", key, why));
        match self.player.as_deref() {
            None | Some("own") => {}
            Some("mpd") if self.mpd.is_some() => {}
            Some("mpd") => return wrong("player", "mpd, but there is no [music.mpd]"),
            Some("home_assistant") if self.home_assistant.is_some() => {}
            Some("home_assistant") => {
                let why = "home_assistant, but no media player of it is named in home_assistant";
                return wrong("player", why);
            }
            Some(other) => {
                let why = format!("'{other}'; use own or mpd or home_assistant");
                return wrong("player", &why);
            }
        }
        let is_player = |entity: &String| {
            let letter =
                |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'_';
            let object = entity.strip_prefix("media_player.").unwrap_or_default();
            (1..=200).contains(&object.len()) && object.bytes().all(letter)
        };
        if (self.home_assistant.as_ref()).is_some_and(|entity| !is_player(entity)) {
            let why = "no media player; write its entity, like media_player.kitchen";
            return wrong("home_assistant", why);
        }
        if let Some(folder) = self.folders.iter().find(|folder| !folder.is_absolute()) {
            let why = format!("{} is no whole path; begin it with /", folder.display());
            return wrong("folders", &why);
        }
        if (self.mpd.as_ref()).is_some_and(|mpd| !mpd.address.ip().is_loopback()) {
            return Err(value("music.mpd", "address", BEYOND));
        }
        if (self.snapcast.as_ref()).is_some_and(|snapcast| !snapcast.address.ip().is_loopback()) {
            return Err(value("music.snapcast", "address", BEYOND));
        }
        if (self.subsonic.as_ref()).is_some_and(|subsonic| !is_here(&subsonic.url)) {
            return Err(value("music.subsonic", "url", BEYOND));
        }
        if self.stations.len() > STATIONS_MAX {
            return wrong("station", &format!("more than {STATIONS_MAX} stations"));
        }
        for station in &self.stations {
            if station.name.trim().is_empty() || station.name.chars().any(char::is_control) {
                return Err(value(
                    "music.station",
                    "name",
                    "empty; give a name that can be spoken",
                ));
            }
            if !is_here(&station.url) {
                return Err(value("music.station", "url", BEYOND));
            }
        }
        let addresses = self.stations.iter().map(|station| &station.url);
        let mut addresses = addresses.chain(self.subsonic.as_ref().map(|subsonic| &subsonic.url));
        if self.certificate.is_none() && addresses.any(|url| url.starts_with("https://")) {
            let why = "missing: an address begins with https; name the file with its server's certificate";
            return wrong("certificate", why);
        }
        Ok(())
    }
}

/// Whether a URL is one over HTTP, plain or over TLS, to this machine.
fn is_here(url: &str) -> bool {
    let plain = url.strip_prefix("http://");
    let Some(rest) = plain.or_else(|| url.strip_prefix("https://")) else {
        return false;
    };
    let authority = rest.split(['/', '?', '#']).next().unwrap_or_default();
    if authority.contains('@') {
        return false;
    }
    let host = match authority.strip_prefix('[') {
        Some(rest) => rest.split(']').next().unwrap_or_default(),
        None => authority.split(':').next().unwrap_or_default(),
    };
    host.eq_ignore_ascii_case("localhost")
        || host.parse::<IpAddr>().is_ok_and(|ip| ip.is_loopback())
}

#[cfg(test)]
mod tests {
    use crate::config::Household;

    const HOME: &str =
        "[device]\nname = \"Kitchen\"\ncountry = \"US\"\n[person]\nname = \"Drill\"\n";
    const MUSIC: &str = "[music]\nfolders = [\"/srv/music\"]\n[music.mpd]\naddress = \"127.0.0.1:6600\"\n\
        [music.subsonic]\nurl = \"http://localhost:4533\"\nuser = \"ana\"\npassword_file = \"pass\"\n\
        [music.snapcast]\naddress = \"127.0.0.1:1705\"\n\
        [[music.station]]\nname = \"Radio Seagull\"\nurl = \"http://[::1]:8000/seagull.m3u\"\n";

    #[test]
    fn music_is_read_and_checked() {
        let read = |text: &str| Household::parse(&format!("{HOME}{text}"));
        assert!(read("").unwrap().music.is_empty());
        let music = read(MUSIC).unwrap().music;
        assert_eq!(music.stations[0].name, "Radio Seagull");
        assert!(!music.prefers_mpd());
        for (from, to, words) in [
            ("127.0.0.1:6600", "192.0.2.1:6600", "beyond this machine"),
            ("127.0.0.1:1705", "192.0.2.1:1705", "beyond this machine"),
            (
                "http://localhost",
                "http://music.example.com",
                "beyond this machine",
            ),
            (
                "http://[::1]",
                "http://127.0.0.1@radio.example.com",
                "beyond this machine",
            ),
            ("http://[::1]", "https://127.0.0.1", "begins with https"),
            (
                "http://[::1]",
                "https://radio.example.com",
                "beyond this machine",
            ),
            ("\"/srv/music\"", "\"music\"", "whole path"),
            ("folders", "player = \"loud\"\nfolders", "own or mpd"),
            ("folders", "volume = 3\nfolders", "unknown field"),
            (
                "folders",
                "player = \"home_assistant\"\nfolders",
                "no media player of it is named",
            ),
            (
                "folders",
                "home_assistant = \"light.kitchen\"\nfolders",
                "media_player.kitchen",
            ),
            (
                "folders",
                "home_assistant = \"media_player.kitchen\"\nfolders",
                "no [home_assistant]",
            ),
            ("Radio Seagull", " ", "spoken"),
        ] {
            let error = read(&MUSIC.replacen(from, to, 1)).unwrap_err().to_string();
            assert!(error.contains(words), "{error}");
        }
        let protected = MUSIC.replace("http://[::1]", "https://[::1]");
        let protected = protected.replacen("folders", "certificate = \"radio.pem\"\nfolders", 1);
        assert!(read(&protected).is_ok());
        let error = read("[music]\nplayer = \"mpd\"\n").unwrap_err().to_string();
        assert!(error.contains("no [music.mpd]"), "{error}");
    }
}
