//! okemon where there is a person at a terminal.

use std::ffi::OsStr;
use std::fs;
use std::process::Command;

use insta::assert_snapshot;
use nix::sys::wait::WaitStatus;
use rexpect::session::{PtySession, spawn_command};

use crate::watched::{INSTALL, Watched};

/// okemon on a terminal that echoes what is typed, without the keys.
fn terminal(watched: &Watched) -> PtySession {
    let okemon = watched.okemon(&INSTALL);
    let secret = |name: &OsStr| name.to_string_lossy().starts_with("OKEMON_S3");
    typed(&okemon, "exec \"$0\" \"$@\"", secret)
}

/// A command in a shell on a terminal, without some of its variables.
fn typed(okemon: &Command, line: &str, without: impl Fn(&OsStr) -> bool) -> PtySession {
    let mut shell = Command::new("/bin/sh");
    // rexpect's terminals do not echo; people's do.
    shell.args(["-c", &format!("stty echo cols 120; {line}")]).arg(okemon.get_program());
    shell.args(okemon.get_args()).current_dir(okemon.get_current_dir().unwrap()).env_clear();
    for (name, value) in okemon.get_envs().filter(|(name, _)| !without(name)) {
        shell.env(name, value.unwrap());
    }
    shell.env("TERM", "xterm");
    spawn_command(shell, Some(120_000)).unwrap()
}

/// Types the keys where they are asked for; what was on the screen up to the question.
fn type_keys(session: &mut PtySession, [access, secret]: [&str; 2]) -> String {
    let mut screen = String::new();
    for (prompt, key) in [
        ("Access key of the customer secret key (not shown): ", access),
        ("Its secret (not shown): ", secret),
    ] {
        screen += &session.exp_string(prompt).unwrap();
        session.send_line(key).unwrap();
    }
    screen += &session.exp_string(QUESTION).unwrap();
    screen
}

const QUESTION: &str = "Make these changes? [y]es, [N]o, [e]xplain: ";

fn answer(session: &mut PtySession, key: &str) {
    session.send(key).unwrap();
    session.flush().unwrap();
}

/// The rest of the screen, and how okemon ended.
fn rest(session: &mut PtySession) -> (String, i32) {
    let rest = session.exp_eof().unwrap();
    match session.process().wait().unwrap() {
        WaitStatus::Exited(_, code) => (rest, code),
        other => panic!("{other:?}: {rest}"),
    }
}

#[test]
fn on_a_terminal_missing_keys_and_consent_are_asked_for() {
    let watched = Watched::up();
    let keys: Vec<String> = watched
        .okemon(&INSTALL)
        .get_envs()
        .filter(|(name, _)| name.to_string_lossy().starts_with("OKEMON_S3"))
        .map(|(_, value)| value.unwrap().to_string_lossy().into_owned())
        .collect();
    let keys = [keys[0].as_str(), keys[1].as_str()];

    let mark = watched.0.mark();
    let mut session = terminal(&watched);
    let before = type_keys(&mut session, keys);
    let plain = console::strip_ansi_codes(&before);
    assert!(plain.contains("sin: ap-singapore-1, context oke-sin"), "{plain}");
    assert!(plain.contains("+ sin/prometheus"), "{plain}");
    answer(&mut session, "e");
    let explained = session.exp_string(QUESTION).unwrap();
    assert!(explained.contains("# sin/namespace: create the namespace"), "{explained}");
    assert!(explained.contains("helm upgrade --install thanos"), "{explained}");
    answer(&mut session, "n");
    let (refused, code) = rest(&mut session);
    assert_eq!(code, 8, "{refused}");
    assert_snapshot!(last_line(&watched, &refused), @"! Nothing was changed: the answer was no");
    assert_eq!(watched.0.changes_since(&mark), Vec::<String>::new());
    assert_eq!(fs::read_dir(watched.0.path("s3")).unwrap().count(), 0, "no bucket either");

    // What it says goes elsewhere: a person is there, and cannot be asked.
    let line = "exec \"$0\" \"$@\" 2>said";
    let (shown, code) = rest(&mut typed(&watched.okemon(&INSTALL), line, |_| false));
    assert_eq!((code, shown.as_str()), (8, ""));
    let said = fs::read_to_string(watched.0.path("said")).unwrap();
    let (_, last) = said.split_once("\nerror: ").unwrap();
    assert_snapshot!(last, @"
    run: asking before the first change: nobody who could agree is shown what would change
    hint: `--yes` makes the changes without asking
    ");
    assert_eq!(watched.0.changes_since(&mark), Vec::<String>::new());

    let mut session = terminal(&watched);
    let before = before.clone() + &explained + &refused + &type_keys(&mut session, keys);
    // What was shown is not what would be done any more: it is shown and asked again.
    watched.0.kubectl(&["create", "namespace", "monitoring"]);
    answer(&mut session, "y");
    let again = session.exp_string(QUESTION).unwrap();
    let plain = console::strip_ansi_codes(&again);
    assert!(plain.contains("what is there has changed while you read"), "{plain}");
    assert!(!plain.contains("+ sin/namespace") && plain.contains("+ sin/bucket"), "{plain}");
    answer(&mut session, "y");
    let (installed, code) = rest(&mut session);
    assert_eq!(code, 0, "{installed}");
    assert_snapshot!(last_line(&watched, &installed), @"Done: 8 changed, 2 unchanged (T)");
    let all = before + &again + &installed;
    assert!(!keys.iter().any(|key| all.contains(key)), "{all}");
    let (hidden, shown) = (all.rfind("\u{1b}[?25l"), all.rfind("\u{1b}[?25h"));
    assert!(hidden <= shown, "the cursor stays hidden: {all:?}");
    watched.until_nothing_is_left();
}

/// The last line on the screen, without marks, colours, times and what moves the cursor.
fn last_line(watched: &Watched, screen: &str) -> String {
    let plain = console::strip_ansi_codes(screen).replace('\r', "\n");
    let last = plain.lines().rfind(|line| !line.trim().is_empty()).unwrap_or_default();
    // rexpect takes each byte for a letter, so a mark is several.
    let ascii: String = last.chars().filter(char::is_ascii).collect();
    watched.0.said(ascii.trim())
}
