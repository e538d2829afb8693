//! `hearth hub`, and what the owner does beside it in another terminal.

use crate::program::{Home, Running};

#[test]
fn people_are_added_and_devices_invited_while_it_runs() {
    let home = Home::new();
    let hub = Running::start(&home);
    assert!(
        hub.said
            .iter()
            .any(|line| line.contains("https://127.0.0.1:")),
        "{:?}",
        hub.said
    );
    std::fs::write(home.path("anna.txt"), "correct horse battery\n").unwrap();
    let anna = [
        "hub",
        "add-person",
        "Anna",
        "--role",
        "owner",
        "--login",
        "anna",
        "--password-file",
        "anna.txt",
    ];
    let added = home.run(&anna);
    assert_eq!(added.code, 0, "{}", added.err);
    assert!(!added.out.contains("horse"), "{}", added.out);
    let again = home.run(&anna);
    assert_eq!(again.code, 2, "a login is somebody's own: {}", again.out);

    let shown = home.run(&["hub", "invite", "Kitchen"]);
    assert_eq!(shown.code, 0, "{}", shown.err);
    assert!(
        shown.out.contains('█') || shown.out.contains('▀'),
        "a QR code: {}",
        shown.out
    );
    let invited = home.run(&["hub", "invite", "Anna's phone", "--kind", "phone", "--json"]);
    let row: serde_json::Value = serde_json::from_str(&invited.out).unwrap();
    let code = row["code"].as_str().unwrap();
    assert_eq!(code.len(), 9, "two groups of four: {code}");
    assert!(
        row["url"]
            .as_str()
            .unwrap()
            .starts_with("https://127.0.0.1:")
    );

    let copied = home.run(&["hub", "back-up"]);
    let path = copied
        .out
        .trim()
        .trim_start_matches("Copied to ")
        .trim_end_matches('.');
    assert!(std::fs::metadata(path).unwrap().len() > 0, "{}", copied.out);
    assert_eq!(hub.interrupt(), Some(0));
}

#[test]
fn what_cannot_be_done_says_why() {
    let home = Home::new();
    let alone = home.run(&["hub", "invite", "Kitchen"]);
    assert_eq!(alone.code, 3);
    assert!(
        alone.err.contains("start `hearth hub` first"),
        "{}",
        alone.err
    );
    let far = home.run(&["hub", "--listen", "192.0.2.1:8443"]);
    assert_eq!(far.code, 2);
    assert!(far.err.contains("192.0.2.1:8443 is refused"), "{}", far.err);

    let hub = Running::start(&home);
    let second = home.run(&["hub", "--listen", "127.0.0.1:0"]);
    assert_eq!(second.code, 2, "two hubs on one folder: {}", second.out);
    std::fs::write(home.path("short.txt"), "short\n").unwrap();
    for (arguments, why) in [
        (vec!["invite", "  "], "empty"),
        (
            vec![
                "add-person",
                "Bob",
                "--role",
                "adult",
                "--login",
                "Bob!",
                "--password-file",
                "short.txt",
            ],
            "--login",
        ),
        (
            vec![
                "add-person",
                "Bob",
                "--role",
                "adult",
                "--login",
                "bob",
                "--password-file",
                "short.txt",
            ],
            "at least",
        ),
        (
            vec![
                "add-person",
                "Bob",
                "--role",
                "adult",
                "--login",
                "bob",
                "--password-file",
                "no.txt",
            ],
            "no.txt",
        ),
    ] {
        let ran = home.run(&[&["hub"], arguments.as_slice()].concat());
        assert_eq!(ran.code, 2, "{arguments:?}: {}", ran.out);
        assert!(ran.err.contains(why), "{arguments:?}: {}", ran.err);
    }
    drop(hub);
}

const SIP: [&str; 9] = [
    "--sip",
    "--country",
    "us",
    "--sip-listen",
    "udp:127.0.0.1:0",
    "--sip-listen",
    "tcp:127.0.0.1:0",
    "--sip-listen",
    "tls:127.0.0.1:0",
];

#[test]
fn it_carries_calls_and_phones_are_added_with_a_password_shown_once() {
    let home = Home::new();
    let hub = Running::start_with(&home, &SIP);
    for wanted in [
        "SIP UDP    127.0.0.1:",
        "SIP TCP    ",
        "SIP TLS    ",
        "SIP domain ",
    ] {
        assert!(
            hub.said.iter().any(|line| line.contains(wanted)),
            "{wanted}: {:?}",
            hub.said
        );
    }
    let added = home.run(&["hub", "add-phone", "Desk", "--json"]);
    assert_eq!(added.code, 0, "{}", added.err);
    let row: serde_json::Value = serde_json::from_str(&added.out).unwrap();
    assert_eq!(row["password"].as_str().unwrap().len(), 20);
    assert_eq!(row["weak"], false);
    let servers = row["servers"].as_array().unwrap();
    assert!(
        servers[0].as_str().unwrap().starts_with("udp:127.0.0.1:"),
        "{servers:?}"
    );
    let weak = home.run(&["hub", "add-phone", "Old desk", "--md5"]);
    assert!(weak.out.contains("MD5, which is weak"), "{}", weak.out);
    assert_eq!(hub.interrupt(), Some(0));

    let silent = Running::start(&home);
    let refused = home.run(&["hub", "add-phone", "Hall"]);
    assert_eq!(refused.code, 2);
    assert!(
        refused.err.contains("start it with --sip"),
        "{}",
        refused.err
    );
    drop(silent);
    for (arguments, why) in [
        (vec!["--sip"], "--country"),
        (vec!["--sip", "--country", "XX"], "it is none of"),
        (
            vec!["--sip", "--country", "US", "--sip-listen", "5060"],
            "udp:127.0.0.1:5060",
        ),
        (
            vec![
                "--sip",
                "--country",
                "US",
                "--sip-listen",
                "udp:192.0.2.1:5060",
            ],
            "is refused",
        ),
    ] {
        let ran = home.run(&[&["hub", "--listen", "127.0.0.1:0"], arguments.as_slice()].concat());
        assert_eq!(ran.code, 2, "{arguments:?}: {}", ran.out);
        assert!(ran.err.contains(why), "{arguments:?}: {}", ran.err);
    }
}

#[test]
fn address_books_come_in_and_go_out() {
    let home = Home::new();
    let hub = Running::start(&home);
    let book = "BEGIN:VCARD\r\nVERSION:3.0\r\nUID:1\r\nFN:Anna\r\nN:;Anna;;;\r\nTEL;TYPE=CELL:+1 202 555 0123\r\n\
                X-PET:Rex\r\nEND:VCARD\r\nBEGIN:VCARD\r\nVERSION:3.0\r\nFN:Police\r\nTEL:911\r\nEND:VCARD\r\n";
    std::fs::write(home.path("book.vcf"), book).unwrap();
    let ran = home.run(&["hub", "contacts", "import", "book.vcf"]);
    assert_eq!(ran.code, 0, "{}", ran.err);
    insta::assert_snapshot!(ran.out);
    let again = home.run(&["hub", "contacts", "import", "book.vcf"]);
    assert!(
        again
            .out
            .contains("0 new, 0 changed, 1 as before, 1 refused"),
        "{}",
        again.out
    );
    let shown = home.run(&["hub", "contacts", "export", "--vcard-3"]);
    assert!(
        shown.out.contains("VERSION:3.0") && shown.out.contains("X-PET:Rex"),
        "{}",
        shown.out
    );
    let out = home.run(&["hub", "contacts", "export", "out.vcf"]);
    assert_eq!(out.code, 0, "{}", out.err);
    assert!(
        std::fs::read_to_string(home.path("out.vcf"))
            .unwrap()
            .contains("VERSION:4.0")
    );
    assert_eq!(
        home.run(&["hub", "contacts", "export", "out.vcf"]).code,
        2,
        "kept as it is"
    );
    std::fs::write(home.path("secret.txt"), "secret\n").unwrap();
    for (url, why) in [
        ("http://127.0.0.1:1/book/", "cannot be reached"),
        ("http://192.0.2.1:80/book/", "not on this machine"),
        ("book", "the address does not read"),
    ] {
        let arguments = [
            "hub",
            "contacts",
            "sync",
            url,
            "--user",
            "anna",
            "--password-file",
            "secret.txt",
        ];
        let ran = home.run(&arguments);
        assert_eq!(ran.code, 2, "{url}: {}", ran.out);
        assert!(ran.err.contains(why), "{url}: {}", ran.err);
    }
    std::fs::write(home.path("cut.vcf"), "BEGIN:VCARD\r\nFN:A").unwrap();
    let cut = home.run(&["hub", "contacts", "import", "cut.vcf"]);
    assert_eq!(cut.code, 2);
    assert!(
        cut.err.contains("line 2: the file ends inside a card"),
        "{}",
        cut.err
    );
    drop(hub);
}

#[test]
fn lines_are_added_with_their_passwords_put_in_order_and_removed() {
    let home = Home::new();
    let hub = Running::start(&home);
    let none = home.run(&["hub", "lines"]);
    assert_eq!(none.code, 0, "{}", none.err);
    assert!(none.out.contains("lines add --help"), "{}", none.out);
    std::fs::write(home.path("trunk.txt"), "drill only\n").unwrap();
    let trunk = [
        "hub",
        "lines",
        "add",
        "Trunk",
        "--server",
        "sip:127.0.0.1:5999",
        "--username",
        "anna",
        "--password-file",
        "trunk.txt",
        "--drill",
        "number",
        "--caller-number",
        "+15055550123",
    ];
    let added = home.run(&trunk);
    assert_eq!(added.code, 0, "{}", added.err);
    assert!(added.out.contains("Trunk") && added.out.contains("carries drills"));
    let again = home.run(&trunk);
    assert_eq!(again.code, 2);
    assert!(again.err.contains("called so already"), "{}", again.err);
    let landline = home.run(&[
        "hub",
        "lines",
        "add",
        "Landline",
        "--kind",
        "landline",
        "--server",
        "sip:127.0.0.1:5998",
    ]);
    assert_eq!(landline.code, 0, "{}", landline.err);
    let names = |arguments: &[&str]| {
        let ran = home.run(arguments);
        assert_eq!(ran.code, 0, "{}", ran.err);
        assert!(!ran.out.contains("drill only"), "{}", ran.out);
        let rows: Vec<serde_json::Value> = serde_json::from_str(&ran.out).unwrap();
        rows.iter()
            .map(|row| {
                assert_eq!(row["health"], "unknown", "{row}");
                row["name"].as_str().unwrap().to_owned()
            })
            .collect::<Vec<_>>()
    };
    assert_eq!(names(&["hub", "lines", "--json"]), ["Trunk", "Landline"]);
    let order = ["hub", "lines", "order", "landline", "--json"];
    assert_eq!(names(&order), ["Landline", "Trunk"]);
    let passwords = home.path("data/hearthline/hub/line-passwords");
    assert_eq!(std::fs::read_dir(&passwords).unwrap().count(), 1);
    let remove = ["hub", "lines", "remove", "Trunk", "--json"];
    assert_eq!(names(&remove), ["Landline"]);
    assert_eq!(std::fs::read_dir(&passwords).unwrap().count(), 0);
    for (arguments, why) in [
        (vec!["remove", "Trunk"], "no line is called"),
        (vec!["order", "Landline", "landline"], "twice"),
        (
            vec!["add", "Far", "--server", "sip:sip.example.com"],
            "this machine",
        ),
        (
            vec![
                "add",
                "Wrong",
                "--server",
                "sip:127.0.0.1",
                "--caller-number",
                "112",
            ],
            "emergency",
        ),
    ] {
        let mut all = vec!["hub", "lines"];
        all.extend(arguments);
        let refused = home.run(&all);
        assert_eq!(refused.code, 2, "{all:?}: {}", refused.out);
        assert!(refused.err.contains(why), "{all:?}: {}", refused.err);
    }
    drop(hub);
}

#[test]
fn options_before_a_command_are_told_where_they_belong() {
    let home = Home::new();
    let refused = home.run(&["hub", "--data", "elsewhere", "add-person", "Anna"]);
    assert_eq!(refused.code, 2);
    let tip = "write options behind the command: add-person [OPTIONS]";
    assert!(refused.err.contains(tip), "{}", refused.err);
}
