//! Address books of a real CardDAV server, Radicale from PyPI, and of servers that mean no good.
//!
//! Radicale is taken from `HEARTHLINE_RADICALE` (a Python that has it) or put into a virtual environment in the build
//! folder by the ordinary Python package client; where neither is possible the test says so, and fails in CI.

use std::net::{SocketAddr, TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::{Arc, OnceLock};
use std::time::{Duration, Instant};

use base64::Engine as _;
use hearthline_hub::bus::LocalBus;
use hearthline_hub::carddav::writing::{Expected, Written, put};
use hearthline_hub::carddav::{BookState, CarddavError, KeptAlike, Server, changes};
use hearthline_hub::clock::UnixMs;
use hearthline_hub::contact::ContactName;
use hearthline_hub::control::{Done, Wish, ask};
use hearthline_hub::store::{AddressBooks as _, Contacts as _, SqliteConfig, SqliteStore};
use hearthline_hub::{Hub, HubConfig};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};

const NOW: UnixMs = UnixMs(1_800_000_000_000);
const RADICALE: &str = "radicale==3.9.0";

/// The Python that has Radicale. Tests run beside each other: one of them installs it, the others wait.
fn python() -> Option<PathBuf> {
    static FOUND: OnceLock<Option<PathBuf>> = OnceLock::new();
    FOUND.get_or_init(installed).clone()
}

fn installed() -> Option<PathBuf> {
    if let Some(python) = std::env::var_os("HEARTHLINE_RADICALE") {
        return Some(python.into());
    }
    let place = Path::new(env!("CARGO_TARGET_TMPDIR")).join("radicale-3.9.0");
    let python = place.join("bin/python");
    let works = |python: &Path| {
        let asked = Command::new(python)
            .args(["-c", "import radicale"])
            .output();
        asked.is_ok_and(|asked| asked.status.success())
    };
    if works(&python) {
        return Some(python);
    }
    let ran = |command: &mut Command| command.output().is_ok_and(|done| done.status.success());
    let _ = ran(Command::new("python3").args(["-m", "venv"]).arg(&place));
    let mut pip = Command::new(&python);
    let _ = ran(pip.args([
        "-m",
        "pip",
        "install",
        "-q",
        "--disable-pip-version-check",
        RADICALE,
    ]));
    if works(&python) {
        return Some(python);
    }
    assert!(
        std::env::var_os("CI").is_none(),
        "{RADICALE} cannot be installed"
    );
    println!("skipped: {RADICALE} cannot be installed");
    None
}

/// A Radicale with one address book.
struct Radicale {
    child: Child,
    address: SocketAddr,
    folder: tempfile::TempDir,
}

/// Certificate and key of a server on this machine, and the authority that signed it.
fn certified(folder: &Path) {
    let params = |names: &[&str]| {
        let names = names.iter().map(|&name| name.to_owned());
        rcgen::CertificateParams::new(names.collect::<Vec<_>>()).unwrap()
    };
    let mut authority = params(&[]);
    authority.is_ca = rcgen::IsCa::Ca(rcgen::BasicConstraints::Unconstrained);
    let authority_key = rcgen::KeyPair::generate().unwrap();
    let root = authority.self_signed(&authority_key).unwrap();
    let issuer = rcgen::Issuer::new(authority, authority_key);
    let key = rcgen::KeyPair::generate().unwrap();
    let own = params(&["127.0.0.1", "localhost"]);
    let own = own.signed_by(&key, &issuer).unwrap();
    std::fs::write(folder.join("authority.pem"), root.pem()).unwrap();
    std::fs::write(folder.join("server.pem"), own.pem()).unwrap();
    std::fs::write(folder.join("server.key"), key.serialize_pem()).unwrap();
}

impl Radicale {
    fn start() -> Option<Self> {
        Self::start_with(|_| String::new())
    }

    /// By TLS, with a book that holds Anna.
    fn start_secure() -> Option<Self> {
        Self::start_with(|folder| {
            certified(folder);
            let book = folder.join("books/collection-root/anna/book");
            std::fs::create_dir_all(&book).unwrap();
            std::fs::write(book.join(".Radicale.props"), "{\"tag\": \"VADDRESSBOOK\"}").unwrap();
            let card = "BEGIN:VCARD\r\nVERSION:3.0\r\nUID:a\r\nFN:Anna\r\nN:;Anna;;;\r\n\
                TEL;TYPE=CELL:+1 202 555 0123\r\nEND:VCARD\r\n";
            std::fs::write(book.join("a.vcf"), card).unwrap();
            let own = |name: &str| folder.join(name).display().to_string();
            let (certificate, key) = (own("server.pem"), own("server.key"));
            format!("ssl = True\ncertificate = {certificate}\nkey = {key}\n")
        })
    }

    fn start_with(prepare: impl FnOnce(&Path) -> String) -> Option<Self> {
        let python = python()?;
        let folder = tempfile::tempdir().unwrap();
        let more = prepare(folder.path());
        let address = TcpListener::bind("127.0.0.1:0")
            .unwrap()
            .local_addr()
            .unwrap();
        std::fs::write(folder.path().join("users"), "anna:secret\n").unwrap();
        let config = format!(
            "[server]\nhosts = {address}\n{more}[auth]\ntype = htpasswd\nhtpasswd_filename = {0}/users\n\
             htpasswd_encryption = plain\ndelay = 0\n[storage]\nfilesystem_folder = {0}/books\n",
            folder.path().display()
        );
        std::fs::write(folder.path().join("config"), config).unwrap();
        let child = Command::new(python)
            .args(["-m", "radicale", "--config"])
            .arg(folder.path().join("config"))
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let began = Instant::now();
        while TcpStream::connect(address).is_err() {
            assert!(
                began.elapsed() < Duration::from_secs(30),
                "radicale listens"
            );
            std::thread::sleep(Duration::from_millis(50));
        }
        Some(Self {
            child,
            address,
            folder,
        })
    }

    /// As another program does that writes to the server; the status.
    async fn asks(&self, method: &str, path: &str, kind: &str, body: &str) -> u16 {
        self.answers(method, path, kind, body).await[9..12]
            .parse()
            .unwrap()
    }

    /// The whole answer.
    async fn answers(&self, method: &str, path: &str, kind: &str, body: &str) -> String {
        let mut stream = tokio::net::TcpStream::connect(self.address).await.unwrap();
        let basic = base64::engine::general_purpose::STANDARD.encode("anna:secret");
        let request = format!(
            "{method} {path} HTTP/1.1\r\nhost: {}\r\nauthorization: Basic {basic}\r\ncontent-type: {kind}\r\n\
             content-length: {}\r\nconnection: close\r\n\r\n{body}",
            self.address,
            body.len()
        );
        stream.write_all(request.as_bytes()).await.unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).await.unwrap();
        answer
    }

    /// Every card of the book.
    async fn cards(&self) -> String {
        self.answers("GET", "/anna/book/", "text/plain", "").await
    }

    async fn makes_book(&self) {
        let body = "<?xml version=\"1.0\"?><D:mkcol xmlns:D=\"DAV:\" xmlns:C=\"urn:ietf:params:xml:ns:carddav\"><D:set>\
            <D:prop><D:resourcetype><D:collection/><C:addressbook/></D:resourcetype></D:prop></D:set></D:mkcol>";
        assert_eq!(
            self.asks("MKCOL", "/anna/book/", "application/xml", body)
                .await,
            201
        );
    }

    async fn puts(&self, name: &str, inside: &str) {
        let card = format!("BEGIN:VCARD\r\nVERSION:3.0\r\nUID:{name}\r\n{inside}END:VCARD\r\n");
        let status = self
            .asks(
                "PUT",
                &format!("/anna/book/{name}.vcf"),
                "text/vcard",
                &card,
            )
            .await;
        assert!((200..300).contains(&status), "{status}");
    }

    fn server(&self, path: &str, password: &str) -> Server {
        Server::new(&format!("http://{}{path}", self.address), "anna", password).unwrap()
    }
}

impl Drop for Radicale {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

async fn store(folder: &Path) -> SqliteStore {
    let config = SqliteConfig::new(folder);
    SqliteStore::open(&config, Arc::new(LocalBus::default()))
        .await
        .unwrap()
}

/// Reads what is new; how many came, changed and went. None: nothing is new.
async fn sync(store: &SqliteStore, server: &Server) -> Option<(u32, u32, u32, usize)> {
    let known = store.address_book(&server.key()).await.unwrap();
    let change = changes(server, &known).await.unwrap()?;
    let refused = change.refused.len();
    let (done, removed) = store
        .put_address_book(&server.key(), &change, NOW)
        .await
        .unwrap();
    Some((done.added, done.changed, removed, refused))
}

async fn names(store: &SqliteStore) -> Vec<String> {
    let contacts = store.contacts().await.unwrap();
    contacts
        .iter()
        .map(|contact| contact.fields.name.as_str().to_owned())
        .collect()
}

#[tokio::test]
async fn what_changes_in_radicale_changes_here() {
    let Some(radicale) = Radicale::start() else {
        return;
    };
    radicale.makes_book().await;
    let folder = tempfile::tempdir().unwrap();
    let store = store(folder.path()).await;
    let server = radicale.server("/anna/book/", "secret");
    radicale
        .puts(
            "a",
            "FN:Anna\r\nN:;Anna;;;\r\nTEL;TYPE=CELL:+1 202 555 0123\r\n",
        )
        .await;
    radicale
        .puts(
            "b",
            "FN:Bert & Söhne <GmbH>\r\nN:Bert;;;;\r\nTEL:+1 202 555 0124\r\n",
        )
        .await;
    radicale
        .puts("c", "FN:Feuerwehr\r\nN:Feuerwehr;;;;\r\nTEL:112\r\n")
        .await;
    assert_eq!(sync(&store, &server).await, Some((2, 0, 0, 1)));
    assert_eq!(names(&store).await, ["Anna", "Bert & Söhne <GmbH>"]);
    assert_eq!(sync(&store, &server).await, None, "nothing is new");

    // What the home decided stays; only what changed is asked for.
    let anna = &store.contacts().await.unwrap()[0];
    let mut own = anna.fields.clone();
    own.children_may_call = true;
    store.change_contact(anna.id, &own, NOW).await.unwrap();
    radicale
        .puts(
            "a",
            "FN:Anna B\r\nN:B;Anna;;;\r\nTEL;TYPE=CELL:+1 202 555 0199\r\n",
        )
        .await;
    radicale.puts("d", "FN:Dora\r\nN:;Dora;;;\r\n").await;
    assert_eq!(sync(&store, &server).await, Some((1, 1, 0, 0)));
    let anna = &store.contacts().await.unwrap()[0];
    assert!(anna.fields.children_may_call);
    assert_eq!(anna.fields.numbers[0].number.as_str(), "+12025550199");

    assert_eq!(
        radicale
            .asks("DELETE", "/anna/book/b.vcf", "text/plain", "")
            .await,
        200
    );
    assert_eq!(sync(&store, &server).await, Some((0, 0, 1, 0)));
    assert_eq!(names(&store).await, ["Anna B", "Dora"]);

    // A token that the server does not know any more: everything is listed, and nothing is doubled.
    let mut known = store.address_book(&server.key()).await.unwrap();
    assert!(known.sync_token.is_some(), "radicale knows RFC 6578");
    known.sync_token = Some("http://radicale.org/ns/sync/unknown".to_owned());
    known.ctag = None;
    radicale.puts("e", "FN:Emil\r\nN:;Emil;;;\r\n").await;
    let change = changes(&server, &known).await.unwrap().unwrap();
    assert_eq!((change.items.len(), change.removed.len()), (1, 0));

    let wrong = radicale.server("/anna/book/", "guessed");
    let refused = changes(&wrong, &BookState::default()).await;
    assert!(matches!(refused, Err(CarddavError::Refused)), "{refused:?}");
    let none = radicale.server("/anna/", "secret");
    let none = changes(&none, &BookState::default()).await;
    assert!(matches!(none, Err(CarddavError::NoAddressBook)), "{none:?}");
}

#[tokio::test]
async fn a_book_behind_tls_is_read_and_written_where_a_known_authority_vouches_for_it() {
    let Some(radicale) = Radicale::start_secure() else {
        return;
    };
    let ca = radicale.folder.path().join("authority.pem");
    let port = radicale.address.port();
    for host in [format!("127.0.0.1:{port}"), format!("localhost:{port}")] {
        let url = format!("https://{host}/anna/book/");
        let server = Server::new(&url, "anna", "secret").unwrap();
        let own = server.clone().with_ca_file(Some(&ca));
        let change = changes(&own, &BookState::default()).await.unwrap().unwrap();
        assert!(
            change
                .items
                .iter()
                .any(|item| item.href == "/anna/book/a.vcf")
        );
        let name = host.replace(['.', ':'], "-");
        let card = format!(
            "BEGIN:VCARD\r\nVERSION:3.0\r\nUID:{name}\r\nFN:Bert\r\nN:;Bert;;;\r\nEND:VCARD\r\n"
        );
        let href = format!("/anna/book/{name}.vcf");
        let written = put(&own, &href, Expected::Absent, &card).await.unwrap();
        assert!(matches!(written, Written::Done(_)), "{written:?}");
        // Nobody vouches, somebody else does, or the file is none.
        let nobody = changes(&server, &BookState::default()).await.unwrap_err();
        assert!(matches!(nobody, CarddavError::Roots(_)), "{nobody}");
        let others = tempfile::tempdir().unwrap();
        certified(others.path());
        let other = server
            .clone()
            .with_ca_file(Some(&others.path().join("authority.pem")));
        let refused = changes(&other, &BookState::default()).await.unwrap_err();
        assert!(refused.to_string().contains("certificate"), "{refused}");
        let none = server
            .clone()
            .with_ca_file(Some(&others.path().join("server.key")));
        let none = changes(&none, &BookState::default()).await.unwrap_err();
        assert!(
            none.to_string().contains("no certificate that reads"),
            "{none}"
        );
        assert!(matches!(
            changes(&server.with_ca_file(None), &BookState::default()).await,
            Err(CarddavError::Roots(_))
        ));
    }
    // In the clear it hears nothing that it understands.
    let clear = radicale.server("/anna/book/", "secret");
    assert!(changes(&clear, &BookState::default()).await.is_err());
    // As the owner does at the machine; the file is remembered with the account.
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().join("hub");
    let hub = Hub::start(HubConfig::new(&data)).await.unwrap();
    let wish = Wish::SyncContacts {
        url: format!("https://{}/anna/book/", radicale.address),
        user: "anna".to_owned(),
        password: "secret".to_owned(),
        ca_file: Some(ca.clone()),
        both_ways: true,
    };
    let done = ask(&data, &wish).await.unwrap();
    let Done::KeptAlike(done) = done else {
        panic!("the book is kept alike");
    };
    assert_eq!(done.imported.added, 3);
    let accounts = std::fs::read_dir(data.join("address-books")).unwrap();
    let account = accounts.flatten().next().unwrap().path();
    let account = std::fs::read_to_string(account).unwrap();
    assert!(account.contains(&ca.display().to_string()), "{account}");
    hub.stop().await;
}

/// Makes home and server alike, as the owner does at the machine.
async fn alike(hub: &Path, radicale: &Radicale) -> KeptAlike {
    let wish = Wish::SyncContacts {
        url: format!("http://{}/anna/book/", radicale.address),
        user: "anna".to_owned(),
        password: "secret".to_owned(),
        ca_file: None,
        both_ways: true,
    };
    match ask(hub, &wish).await.unwrap() {
        Done::KeptAlike(done) => done,
        Done::Refused { detail } => panic!("{detail}"),
        _ => panic!("something else was done"),
    }
}

#[tokio::test]
async fn home_and_radicale_are_kept_alike_and_nothing_is_lost() {
    let Some(radicale) = Radicale::start() else {
        return;
    };
    radicale.makes_book().await;
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().join("hub");
    let hub = Hub::start(HubConfig::new(&data)).await.unwrap();
    let store = hub.store();
    let names = async || {
        let all = store.contacts().await.unwrap();
        let names = all.iter().map(|own| own.fields.name.as_str().to_owned());
        names.collect::<Vec<_>>()
    };
    let named = async |wanted: &'static str| {
        let all = store.contacts().await.unwrap();
        let found = all
            .into_iter()
            .find(|own| own.fields.name.as_str() == wanted);
        found.unwrap_or_else(|| panic!("no {wanted}"))
    };
    let rename = async |from: &'static str, to: &'static str| {
        let mut contact = named(from).await;
        contact.fields.name = ContactName::new(to).unwrap();
        let changed = store.change_contact(contact.id, &contact.fields, NOW).await;
        changed.unwrap();
    };
    radicale
        .puts(
            "a",
            "FN:Anna\r\nN:;Anna;;;\r\nTEL;TYPE=CELL:+1 202 555 0123\r\nX-PET:Rex\r\n",
        )
        .await;
    let first = alike(&data, &radicale).await;
    assert_eq!((first.imported.added, first.sent), (1, 0));

    // What is new or changed here goes there, whole.
    let bert = serde_json::from_value(serde_json::json!({
        "name": "Bert", "numbers": [{"label": "home", "number": "+12025550124"}],
    }));
    store.add_contact(&bert.unwrap(), NOW).await.unwrap();
    rename("Anna", "Anna B").await;
    let second = alike(&data, &radicale).await;
    assert_eq!((second.sent, second.postponed), (2, 0));
    let cards = radicale.cards().await;
    for text in ["Anna B", "X-PET:Rex", "0123", "FN:Bert", "+12025550124"] {
        assert!(cards.contains(text), "{text}: {cards}");
    }
    let again = alike(&data, &radicale).await;
    assert_eq!((again.imported.added, again.imported.changed), (0, 0));
    assert_eq!((again.sent, again.removed, again.taken_back), (0, 0, 0));
    assert_eq!(names().await, ["Anna B", "Bert"]);

    // Changed on both sides: theirs takes the place, ours stands beside it, here and there.
    radicale
        .puts(
            "a",
            "FN:Anna Theirs\r\nN:;Anna;;;\r\nTEL;TYPE=CELL:+1 202 555 0199\r\n",
        )
        .await;
    rename("Anna B", "Anna Ours").await;
    let both = alike(&data, &radicale).await;
    assert_eq!((both.imported.changed, both.sent), (1, 1));
    assert_eq!(names().await, ["Anna Ours (here)", "Anna Theirs", "Bert"]);
    let cards = radicale.cards().await;
    assert!(cards.contains("Anna Ours (here)") && cards.contains("Anna Theirs"));
    assert!(cards.contains("X-PET:Rex"), "with all that it had: {cards}");

    // Removed there and changed here: it stays, and goes back.
    let bert = named("Bert").await.id;
    let path = format!("/anna/book/hearthline-{bert}.vcf");
    assert_eq!(radicale.asks("DELETE", &path, "text/plain", "").await, 200);
    rename("Bert", "Bert B").await;
    let kept = alike(&data, &radicale).await;
    assert_eq!((kept.removed, kept.sent), (0, 1));
    assert!(radicale.cards().await.contains("Bert B"));

    // Removed here and unchanged there: gone there; changed there: it comes back.
    store
        .remove_contact(named("Bert B").await.id, NOW)
        .await
        .unwrap();
    let taken = alike(&data, &radicale).await;
    assert_eq!(taken.taken_back, 1);
    assert!(!radicale.cards().await.contains("Bert B"));
    store
        .remove_contact(named("Anna Theirs").await.id, NOW)
        .await
        .unwrap();
    radicale.puts("a", "FN:Anna Again\r\nN:;Anna;;;\r\n").await;
    let back = alike(&data, &radicale).await;
    assert_eq!((back.imported.added, back.taken_back), (1, 0));
    assert_eq!(names().await, ["Anna Again", "Anna Ours (here)"]);

    // Nobody's change is written over: neither one that we do not know nor a card that is there already.
    let server = radicale.server("/anna/book/", "secret");
    let card = "BEGIN:VCARD\r\nVERSION:3.0\r\nUID:a\r\nFN:Over\r\nN:;Over;;;\r\nEND:VCARD\r\n";
    for expected in [Expected::Etag("\"old\""), Expected::Absent] {
        let written = put(&server, "/anna/book/a.vcf", expected, card).await;
        assert_eq!(written.unwrap(), Written::Otherwise, "{expected:?}");
    }
    let outside = put(&server, "/anna/other.vcf", Expected::Absent, card).await;
    assert!(matches!(outside, Err(CarddavError::Members)), "{outside:?}");
    assert!(!radicale.cards().await.contains("FN:Over"));
    let url = server.key();
    let left = ask(&data, &Wish::LeaveBook { url: url.clone() }).await;
    assert!(matches!(left.unwrap(), Done::Left));
    let again = ask(&data, &Wish::LeaveBook { url }).await;
    assert!(matches!(again.unwrap(), Done::Refused { .. }));
    hub.stop().await;
}

#[test]
fn only_this_machine_is_asked() {
    for url in ["http://192.0.2.1:80/book/", "http://[2001:db8::1]:80/book/"] {
        let server = Server::new(url, "a", "b");
        assert!(matches!(server, Err(CarddavError::Reach(_))), "{url}");
    }
    for url in [
        "ftp://127.0.0.1:1/book/",
        "https://127.0.0.1/book/",
        "http://example.com/book/",
        "https://example.com:443/book/",
        "http://127.0.0.1:1",
        "http://127.0.0.1:1/a b/",
    ] {
        let server = Server::new(url, "a", "b");
        assert!(matches!(server, Err(CarddavError::Url)), "{url}");
    }
    let server = Server::new("http://127.0.0.1:5232/anna/book", "anna", "secret").unwrap();
    assert_eq!(server.key(), "http://127.0.0.1:5232/anna/book/");
    assert!(!format!("{server:?}").contains("secret"));
}

/// A server that answers each request on a connection with the next of these, then closes.
async fn lying(answers: Vec<String>) -> Server {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move {
        let mut answers = answers.into_iter();
        while let Ok((mut stream, _)) = listener.accept().await {
            let mut buffer = [0; 65_536];
            while stream.read(&mut buffer).await.is_ok_and(|count| count > 0) {
                let Some(body) = answers.next() else {
                    return;
                };
                let head = format!(
                    "HTTP/1.1 207 Multi-Status\r\ncontent-length: {}\r\n\r\n",
                    body.len()
                );
                let _ = stream.write_all((head + &body).as_bytes()).await;
            }
        }
    });
    Server::new(&format!("http://{address}/book/"), "a", "b").unwrap()
}

const BOOK: &str = "<D:multistatus xmlns:D=\"DAV:\" xmlns:C=\"urn:ietf:params:xml:ns:carddav\"><D:response>\
    <D:href>/book/</D:href><D:propstat><D:prop><D:resourcetype><C:addressbook/></D:resourcetype></D:prop>\
    <D:status>HTTP/1.1 200 OK</D:status></D:propstat></D:response></D:multistatus>";

fn members(hrefs: &[&str]) -> String {
    let members: String = hrefs
        .iter()
        .map(|href| {
            format!(
                "<D:response><D:href>{href}</D:href><D:propstat><D:prop><D:getetag>1</D:getetag>\
                 <C:address-data>BEGIN:VCARD</C:address-data></D:prop></D:propstat></D:response>"
            )
        })
        .collect();
    format!(
        "<D:multistatus xmlns:D=\"DAV:\" xmlns:C=\"urn:ietf:params:xml:ns:carddav\">{members}</D:multistatus>"
    )
}

#[tokio::test]
async fn servers_that_mean_no_good_are_refused() {
    let asked = |answers: Vec<String>| async {
        let server = lying(answers).await;
        changes(&server, &BookState::default()).await
    };
    let book = || BOOK.to_owned();
    for outside in [
        "/other/a.vcf",
        "/book/../a.vcf",
        "/book/b/a.vcf",
        "http://192.0.2.1/book/a.vcf",
        "/book/a%0d%0a.vcf?x",
    ] {
        let answer = asked(vec![book(), members(&[outside])]).await;
        assert!(
            matches!(answer, Err(CarddavError::Members)),
            "{outside} {answer:?}"
        );
    }
    // A card that nobody asked for.
    let answer = asked(vec![
        book(),
        members(&["/book/a.vcf"]),
        members(&["/book/b.vcf"]),
    ])
    .await;
    assert!(matches!(answer, Err(CarddavError::Members)), "{answer:?}");
    // A card that does not read is one refused card, not the end.
    let answer = asked(vec![
        book(),
        members(&["/book/a.vcf"]),
        members(&["/book/a.vcf"]),
    ])
    .await;
    let change = answer.unwrap().unwrap();
    assert_eq!((change.items.len(), change.refused.len()), (1, 1));
    assert!(change.items[0].card.is_none());
    let bomb = "<!DOCTYPE a [<!ENTITY b \"bbbb\">]><multistatus xmlns=\"DAV:\">&b;</multistatus>"
        .to_owned();
    assert!(matches!(asked(vec![bomb]).await, Err(CarddavError::Xml(_))));
    let large = format!(
        "<multistatus xmlns=\"DAV:\">{}</multistatus>",
        " ".repeat(17 * 1024 * 1024)
    );
    assert!(matches!(
        asked(vec![large]).await,
        Err(CarddavError::TooLarge)
    ));
    let many: Vec<String> = (0..10_002).map(|n| format!("/book/{n}.vcf")).collect();
    let many: Vec<&str> = many.iter().map(String::as_str).collect();
    assert!(matches!(
        asked(vec![book(), members(&many)]).await,
        Err(CarddavError::Members)
    ));
    let gone = Server::new("http://127.0.0.1:1/book/", "a", "b").unwrap();
    let answer = changes(&gone, &BookState::default()).await;
    assert!(
        matches!(answer, Err(CarddavError::Unreachable(_))),
        "{answer:?}"
    );
}
