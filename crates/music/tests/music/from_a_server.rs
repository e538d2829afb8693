//! A Subsonic server: its songs by name, its sound, and what it says when it gives none.
//!
//! The real one is Supysonic from PyPI: taken from `HEARTHLINE_SUPYSONIC` (the folder of its programs) or put into a
//! virtual environment in the build folder by the ordinary Python package client; where neither is possible the test says
//! so, and fails in CI.
use std::io::{Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::os::unix::fs::PermissionsExt as _;
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use hearthline_music::subsonic::Account;
use hearthline_speaker::config::{MusicSettings, SubsonicSettings};

use crate::home::Home;
use crate::sounds::{SONGS, have, mp3};

/// A stand-in that lets in whoever has made the token of user and salt. `files` are by the place of the song.
fn server(files: Vec<Vec<u8>>) -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    std::thread::spawn(move || {
        for stream in listener.incoming() {
            let mut stream = stream.unwrap();
            let mut request = [0; 4_096];
            let count = stream.read(&mut request).unwrap_or(0);
            let request = String::from_utf8_lossy(&request[..count]).into_owned();
            let target = request.split(' ').nth(1).unwrap_or_default();
            let value = |name: &str| {
                let begin = target.find(&format!("&{name}="))? + name.len() + 2;
                Some(
                    target[begin..]
                        .split('&')
                        .next()
                        .unwrap_or_default()
                        .to_owned(),
                )
            };
            let account = Account {
                url: String::new(),
                user: "ana".into(),
                password: "sesame".into(),
                plain: false,
            };
            let wanted = account.ask("x", &[], &value("s").unwrap_or_default());
            let may = value("t").is_some_and(|token| wanted.contains(&format!("&t={token}&")));
            let method = target
                .trim_start_matches("/rest/")
                .split('?')
                .next()
                .unwrap_or_default();
            let song = |at: usize| {
                let song = &SONGS[at];
                serde_json::json!({
                    "id": format!("tr-{at}"), "title": song.title, "artist": song.artist, "album": song.album,
                    "genre": song.genre, "track": song.number, "duration": 3,
                })
            };
            let all: Vec<_> = (0..SONGS.len()).map(song).collect();
            let from: usize = value("songOffset")
                .and_then(|text| text.parse().ok())
                .unwrap_or(0);
            let inside = match method {
                _ if !may => {
                    serde_json::json!({"status": "failed", "error": {"code": 40, "message": "Wrong"}})
                }
                "search3" => {
                    serde_json::json!({"status": "ok", "searchResult3": {"song": all.get(from..).unwrap_or(&[])}})
                }
                "getPlaylists" => {
                    serde_json::json!({"status": "ok", "playlists": {"playlist": [{"id": 3, "name": "Rainy Days"}]}})
                }
                "getPlaylist" => {
                    serde_json::json!({"status": "ok", "playlist": {"entry": [song(3)]}})
                }
                "stream" => {
                    let at = value("id")
                        .and_then(|id| id.trim_start_matches("tr-").parse::<usize>().ok());
                    match at.and_then(|at| files.get(at)) {
                        Some(sound) if !sound.is_empty() => {
                            let _ = stream
                                .write_all(b"HTTP/1.0 200 OK\r\nContent-Type: audio/mpeg\r\n\r\n");
                            let _ = stream.write_all(sound);
                            continue;
                        }
                        _ => serde_json::json!({"status": "failed", "error": {"code": 70}}),
                    }
                }
                _ => serde_json::json!({"status": "failed", "error": {"code": 0}}),
            };
            let body = serde_json::json!({"subsonic-response": inside}).to_string();
            let _ = stream.write_all(b"HTTP/1.0 200 OK\r\nContent-Type: application/json\r\n\r\n");
            let _ = stream.write_all(body.as_bytes());
        }
    });
    address
}

fn settings(address: SocketAddr, password: &str, folder: &std::path::Path) -> MusicSettings {
    let password_file: PathBuf = folder.join("password");
    std::fs::write(&password_file, format!("{password}\n")).unwrap();
    MusicSettings {
        subsonic: Some(SubsonicSettings {
            url: format!("http://{address}"),
            user: "ana".into(),
            password_file,
            plain_password: false,
        }),
        ..MusicSettings::default()
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn another_password_in_the_same_file_counts_and_one_that_cannot_be_used_does_not() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("password");
    let mode = |bits: u32| {
        let bits = std::fs::Permissions::from_mode(bits);
        std::fs::set_permissions(&file, bits).unwrap();
    };
    let music = settings(server(Vec::new()), "wrong", folder.path());
    let mut home = Home::new(music.clone());
    let wrong = |home: &Home| {
        home.missing
            .iter()
            .any(|why| why.contains("our user and password"))
    };
    assert!(
        home.until(Duration::from_secs(30), wrong).await,
        "{:?}",
        home.missing
    );
    std::fs::write(&file, "sesame\n").unwrap();
    mode(0o644);
    let [why] = &home.control.reload(music.clone(), None)[..] else {
        panic!("the file is open to all")
    };
    assert!(
        why.contains("chmod 600") && why.ends_with("It stays as it was"),
        "{why}"
    );
    mode(0o600);
    let told = home.control.reload(music.clone(), None);
    assert_eq!(
        told,
        ["[music.subsonic] is asked anew: its file holds another password"]
    );
    home.knows(SONGS.len()).await;
    std::fs::remove_file(&file).unwrap();
    let [why] = &home.control.reload(music.clone(), None)[..] else {
        panic!("the file is gone")
    };
    assert!(
        why.contains("password: ") && why.ends_with("It stays as it was"),
        "{why}"
    );
    assert_eq!(home.library, SONGS.len());
    assert_eq!(home.missing, [""; 0]);
}

#[tokio::test(flavor = "multi_thread")]
async fn its_songs_play_here() {
    if !have("lame") {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let mut files: Vec<Vec<u8>> = Vec::new();
    for (at, song) in SONGS.iter().enumerate() {
        let path = folder.path().join(format!("{at}.mp3"));
        mp3(song, &path);
        files.push(std::fs::read(path).unwrap());
    }
    files[1].clear();
    let address = server(files);
    let mut home = Home::new(settings(address, "sesame", folder.path()));
    home.knows(4).await;
    assert_eq!(
        home.ask("play copper morning by catherine vale").await,
        "Playing Copper Morning by Catherine Vale."
    );
    assert!(home.hears(1_000.0).await);
    assert_eq!(
        home.ask("play the playlist rainy days").await,
        "Playing the playlist Rainy Days."
    );
    assert!(home.hears(1_300.0).await);
    let why = home.ask("play second lantern").await;
    assert_eq!(
        why,
        "no: I can't play Second Lantern: the music server says that it no longer has that."
    );
    let mut refused = Home::new(settings(address, "wrong", folder.path()));
    let told = refused
        .until(std::time::Duration::from_secs(5), |home| {
            !home.missing.is_empty()
        })
        .await;
    assert!(told);
    let why = refused.ask("play copper morning").await;
    assert_eq!(
        why,
        "no: The music server gives nothing: it does not take our user and password."
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn one_that_is_away_is_named() {
    let nobody = TcpListener::bind("127.0.0.1:0")
        .unwrap()
        .local_addr()
        .unwrap();
    let folder = tempfile::tempdir().unwrap();
    let mut home = Home::new(settings(nobody, "sesame", folder.path()));
    assert!(
        home.until(std::time::Duration::from_secs(5), |home| !home
            .missing
            .is_empty())
            .await
    );
    let why = home.ask("play some music").await;
    assert_eq!(
        why,
        "no: I can't reach the music server: the connection was refused."
    );
}

const SUPYSONIC: [&str; 2] = ["supysonic==0.7.9", "waitress"];

/// The folder of its programs.
fn supysonic() -> Option<PathBuf> {
    if let Some(folder) = std::env::var_os("HEARTHLINE_SUPYSONIC") {
        return Some(folder.into());
    }
    let place = std::path::Path::new(env!("CARGO_TARGET_TMPDIR")).join("supysonic-0.7.9");
    let programs = place.join("bin");
    if !programs.join("waitress-serve").exists() {
        let ran = |command: &mut Command| command.output().is_ok_and(|done| done.status.success());
        let _ = ran(Command::new("python3").args(["-m", "venv"]).arg(&place));
        let mut pip = Command::new(programs.join("python"));
        let _ = ran(pip
            .args(["-m", "pip", "install", "-q", "--disable-pip-version-check"])
            .args(SUPYSONIC));
    }
    if programs.join("waitress-serve").exists() {
        return Some(programs);
    }
    assert!(
        std::env::var_os("CI").is_none(),
        "{SUPYSONIC:?} cannot be installed"
    );
    eprintln!("skipped: {SUPYSONIC:?} cannot be installed");
    None
}

struct Ended(Child);

impl Drop for Ended {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_real_one_gives_its_songs() {
    let Some(programs) = supysonic().filter(|_| have("lame")) else {
        return;
    };
    let folder = tempfile::tempdir().unwrap();
    let root = folder.path();
    crate::sounds::folder(&root.join("music"));
    let conf = format!(
        "[base]\ndatabase_uri = sqlite:///{root}/db\n[webapp]\ncache_dir = {root}/cache\nmount_webui = off\n\
         [daemon]\nsocket = {root}/sock\n",
        root = root.display()
    );
    std::fs::write(root.join("supysonic.conf"), conf).unwrap();
    let run = |arguments: &[&str]| {
        let done = Command::new(programs.join("supysonic-cli"))
            .args(arguments)
            .current_dir(root)
            .output()
            .unwrap();
        assert!(
            done.status.success(),
            "{arguments:?}: {}",
            String::from_utf8_lossy(&done.stderr)
        );
    };
    run(&["user", "add", "ana", "-p", "sesame"]);
    run(&[
        "folder",
        "add",
        "Library",
        root.join("music").to_str().unwrap(),
    ]);
    run(&["folder", "scan", "--foreground", "Library"]);
    let address = TcpListener::bind("127.0.0.1:0")
        .unwrap()
        .local_addr()
        .unwrap();
    let server = Command::new(programs.join("supysonic-server"))
        .args([
            "-S",
            "waitress",
            "-h",
            "127.0.0.1",
            "-p",
            &address.port().to_string(),
        ])
        .current_dir(root)
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let _server = Ended(server);
    let end = Instant::now() + Duration::from_secs(20);
    while TcpStream::connect(address).is_err() {
        assert!(Instant::now() < end, "it does not listen");
        std::thread::sleep(Duration::from_millis(100));
    }
    // It keeps no passwords, so it cannot check digests: that is said, and the configuration may allow it.
    let mut settings = settings(address, "sesame", root);
    let mut refused = Home::new(settings.clone());
    assert!(
        refused
            .until(Duration::from_secs(5), |home| !home.missing.is_empty())
            .await
    );
    assert!(
        refused.missing[0].contains("plain_password"),
        "{:?}",
        refused.missing
    );
    settings.subsonic.as_mut().unwrap().plain_password = true;
    let mut home = Home::new(settings);
    home.knows(SONGS.len()).await;
    assert_eq!(
        home.ask("play copper morning by quiet wether").await,
        "Playing Copper Morning by Quiet Weather."
    );
    assert!(home.hears(1_300.0).await, "{:?}", home.said);
}
