//! Stands in for helm, kubectl and oci: answers from a script and writes down every call.
//!
//! `FAKE_SCRIPT` names a JSON list of answers, `FAKE_LOG` the file that calls are appended to. A
//! call that no answer fits ends with status 97. As `__watchdog` it is okemon's watchdog, and as
//! `__okemon` a small okemon that runs `helm` with the rest of its arguments: something to kill.

#![expect(
    clippy::disallowed_methods,
    clippy::exit,
    clippy::expect_used,
    clippy::print_stderr,
    reason = "a test fake"
)]

use std::io::{BufRead as _, Read as _, Write as _};
use std::process::{Command, Stdio};
use std::time::Duration;
use std::{env, fs, io, process, thread};

use nix::sys::signal::{SigHandler, Signal, raise, signal};
use okemon::run::exec::{Exec, GRACE, Setup};
use okemon::run::programs::Programs;
use okemon::run::stop::Stop;
use okemon::run::watchdog;
use okemon::tools::cmd::{Cmd, Tool};

/// The first one whose words are all in the command line is given.
#[derive(Default, serde::Deserialize)]
#[serde(default, deny_unknown_fields)]
struct Answer {
    has: Vec<String>,
    /// From which fitting call on; the first one is 0.
    after: usize,
    /// What is done before anything is printed, in this order.
    acts: Vec<Act>,
    stdout: String,
    /// Printed after it: bytes that are no text.
    bytes: Vec<u8>,
    stderr: String,
    status: i32,
}

#[derive(Clone, Copy, PartialEq, Eq, serde::Deserialize)]
#[serde(rename_all = "kebab-case")]
enum Act {
    /// Does not hear SIGTERM from now on, nor do its children.
    Deafen,
    /// Leaves a child that holds its pipes for an hour.
    Leave,
    /// Prints 100 MB to standard error.
    Flood,
    /// Asks at the terminal.
    Prompt,
    /// Kills itself.
    Die,
    /// Goes on for an hour.
    Stay,
    /// The same, after it has printed everything.
    Linger,
}

fn main() {
    let mut words = env::args();
    let name = words.next().unwrap_or_default();
    let name = name.rsplit('/').next().unwrap_or_default().to_owned();
    let args: Vec<String> = words.collect();
    match args.iter().map(String::as_str).collect::<Vec<_>>()[..] {
        [watchdog::SUBCOMMAND, home, grace] => {
            watchdog::serve(home.as_ref(), Duration::from_millis(grace.parse().expect("grace")));
        }
        ["__okemon", ref rest @ ..] => small_okemon(rest),
        _ => answer(&name, &args),
    }
}

fn answer(name: &str, args: &[String]) {
    let line = format!("{name} {}", args.join(" "));
    let answer = choose(&line);
    if answer.as_ref().is_some_and(|answer| answer.acts.contains(&Act::Deafen)) {
        #[expect(unsafe_code, reason = "changing a signal's effect is")]
        // SAFETY: no handler is installed, the signal is only ignored.
        unsafe { signal(Signal::SIGTERM, SigHandler::SigIgn) }.expect("deaf");
    }
    let child = answer.as_ref().filter(|answer| answer.acts.contains(&Act::Leave)).map(|_| {
        Command::new("sleep").arg("3600").stdin(Stdio::null()).spawn().expect("a child").id()
    });
    let mut stdin = String::new();
    io::stdin().read_to_string(&mut stdin).expect("stdin");
    let environment: Vec<_> = env::vars_os().map(|(name, _)| name).collect();
    let environment: Vec<_> = environment.iter().map(|name| name.to_string_lossy()).collect();
    let call = serde_json::json!({
        "line": line, "args": args, "stdin": stdin, "environment": environment,
        "kubeconfig": env::var("KUBECONFIG").ok(), "pids": [Some(process::id()), child],
    });
    let log = env::var_os("FAKE_LOG").expect("FAKE_LOG");
    let mut log = fs::OpenOptions::new().append(true).create(true).open(log).expect("log");
    log.write_all(format!("{call}\n").as_bytes()).expect("log");

    let Some(answer) = answer else {
        eprintln!("{name}: no answer fits `{line}`");
        process::exit(97);
    };
    answer.acts.iter().for_each(|act| perform(*act));
    io::stdout().write_all(&[answer.stdout.as_bytes(), &answer.bytes].concat()).expect("stdout");
    io::stderr().write_all(answer.stderr.as_bytes()).expect("stderr");
    if answer.acts.contains(&Act::Linger) {
        io::stdout().flush().expect("stdout");
        thread::sleep(Duration::from_hours(1));
    }
    process::exit(answer.status);
}

/// The first answer that fits `line` and is not for later.
fn choose(line: &str) -> Option<Answer> {
    let script = fs::read_to_string(env::var_os("FAKE_SCRIPT").expect("FAKE_SCRIPT"));
    let answers: Vec<Answer> = serde_json::from_str(&script.expect("script")).expect("answers");
    let log = fs::read_to_string(env::var_os("FAKE_LOG").expect("FAKE_LOG")).unwrap_or_default();
    let calls: Vec<serde_json::Value> =
        log.lines().map(|call| serde_json::from_str(call).expect("log")).collect();
    answers.into_iter().find(|answer| {
        let fits = |line: &str| answer.has.iter().all(|word| line.contains(word));
        let earlier = calls.iter().filter(|call| call["line"].as_str().is_some_and(fits)).count();
        fits(line) && earlier >= answer.after
    })
}

fn perform(act: Act) {
    match act {
        // Done before the call is written down, so that whoever reads it finds it done.
        Act::Deafen | Act::Leave | Act::Linger => {}
        Act::Flood => {
            let megabyte = "x".repeat(1_000_000);
            (0..100).for_each(|_| io::stderr().write_all(megabyte.as_bytes()).expect("stderr"));
        }
        Act::Prompt => {
            let Ok(terminal) = fs::File::open("/dev/tty") else {
                eprintln!("cannot ask: there is no terminal");
                process::exit(1);
            };
            io::BufReader::new(terminal).read_line(&mut String::new()).expect("an answer");
        }
        Act::Die => raise(Signal::SIGKILL).expect("death"),
        Act::Stay => thread::sleep(Duration::from_hours(1)),
    }
}

/// Runs `helm` as okemon does, until it is killed.
fn small_okemon(args: &[&str]) {
    let programs = Programs::find([Tool::Helm], &env::var_os("PATH").expect("PATH")).expect("helm");
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    runtime.expect("a runtime").block_on(async {
        let exec = Exec::start(Setup {
            programs,
            places: [].into(),
            environment: env::vars_os().collect(),
            okemon: env::current_exe().expect("myself"),
            grace: GRACE.min(Duration::from_millis(200)),
        });
        let helm = Cmd::new(Tool::Helm, args.iter().copied());
        let answer = exec.expect("a start").run(&helm, None, &Stop::default()).await;
        eprint!("{}", answer.expect("an answer").stderr);
    });
}
