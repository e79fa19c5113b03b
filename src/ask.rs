//! How to get an answer from a person: to a question, for a value, for a secret.
//!
//! Whether somebody is there is decided in `cli`, once. What is wanted, and the flag and the
//! variable that give it without a prompt, are left to the caller.
//!
//! Ctrl-C comes back as [`NoAnswer::Interrupted`]; the cursor and the echo are as they were.

use std::fs::File;
use std::io::{self, Read, Stdin};
use std::os::fd::AsFd as _;

use console::{Key, Term};
use dialoguer::Input;
use nix::sys::signal::{SigSet, Signal};
use nix::sys::termios::{FlushArg, LocalFlags, SetArg, Termios, tcflush, tcgetattr, tcsetattr};
use secrecy::SecretString;

/// What was answered to a question.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Answer {
    Yes,
    No,
}

/// Why there is no answer.
#[derive(Debug, thiserror::Error)]
pub enum NoAnswer {
    /// Nobody may be asked; the caller names what gives the value without a prompt.
    #[error("{wanted} is needed, and nobody can be asked for it here")]
    NotAsked { wanted: String },
    #[error("interrupted at the prompt")]
    Interrupted,
    #[error("asking for {wanted}: {source}")]
    Failed { wanted: String, source: io::Error },
}

/// Says whether a text will do, and if not why.
pub type Validate<'a> = &'a dyn Fn(&str) -> Result<(), String>;

/// Gets answers.
pub trait Ask: Send {
    /// Asks `question`; `explain` is what will be done in full, for who wants to read it first.
    fn confirm(&mut self, question: &str, explain: &str) -> Result<Answer, NoAnswer>;

    /// Asks for a secret, which is not shown while it is typed.
    fn secret(&mut self, wanted: &str) -> Result<SecretString, NoAnswer>;

    /// Asks for a text until `validate` takes it.
    fn text(
        &mut self,
        wanted: &str,
        default: Option<&str>,
        validate: Validate,
    ) -> Result<String, NoAnswer>;
}

/// Asks nobody: off a terminal, in CI, with `--no-input`.
#[derive(Clone, Copy, Debug)]
pub struct Never;

impl Ask for Never {
    fn confirm(&mut self, question: &str, _explain: &str) -> Result<Answer, NoAnswer> {
        Err(NoAnswer::NotAsked { wanted: format!("an answer to \"{question}\"") })
    }

    fn secret(&mut self, wanted: &str) -> Result<SecretString, NoAnswer> {
        Err(NoAnswer::NotAsked { wanted: wanted.to_owned() })
    }

    fn text(
        &mut self,
        wanted: &str,
        _default: Option<&str>,
        _validate: Validate,
    ) -> Result<String, NoAnswer> {
        Err(NoAnswer::NotAsked { wanted: wanted.to_owned() })
    }
}

/// Asks the person at the terminal, on stderr. Standard input and stderr must be terminals.
#[derive(Clone, Copy, Debug)]
pub struct Terminal;

impl Ask for Terminal {
    fn confirm(&mut self, question: &str, explain: &str) -> Result<Answer, NoAnswer> {
        confirm(&Term::stderr(), question, explain).map_err(|error| no_answer(question, error))
    }

    fn secret(&mut self, wanted: &str) -> Result<SecretString, NoAnswer> {
        secret(&Term::stderr(), wanted).map_err(|error| no_answer(wanted, error))
    }

    fn text(
        &mut self,
        wanted: &str,
        default: Option<&str>,
        validate: Validate,
    ) -> Result<String, NoAnswer> {
        let mut input = Input::<String>::new().with_prompt(wanted);
        if let Some(default) = default {
            input = input.default(default.to_owned());
        }
        let input = input.validate_with(|text: &String| validate(text));
        let term = Term::stderr();
        without_sigint(|| Ok(input.interact_text_on(&term)?)).map_err(|error| {
            // The prompt's line is still open; that it cannot be ended changes nothing.
            term.write_line("").ok();
            no_answer(wanted, error)
        })
    }
}

fn no_answer(wanted: &str, error: io::Error) -> NoAnswer {
    match error.kind() {
        io::ErrorKind::Interrupted | io::ErrorKind::UnexpectedEof => NoAnswer::Interrupted,
        _ => NoAnswer::Failed { wanted: wanted.to_owned(), source: error },
    }
}

/// What a key means where yes, no and explain can be answered.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Choice {
    Yes,
    No,
    Explain,
    Interrupt,
    Again,
}

/// Only `y` is yes. What says that nobody is there (end of input, no terminal) is no.
fn choice(key: &Key) -> Choice {
    match key {
        Key::Char('y' | 'Y') => Choice::Yes,
        Key::Char('e' | 'E' | '?') => Choice::Explain,
        Key::Char('n' | 'N' | 'q' | '\u{4}') | Key::Enter | Key::Escape | Key::Unknown => {
            Choice::No
        }
        Key::CtrlC => Choice::Interrupt,
        _ => Choice::Again,
    }
}

fn confirm(term: &Term, question: &str, explain: &str) -> io::Result<Answer> {
    // A key hit before the question was there is no answer to it.
    tcflush(io::stdin(), FlushArg::TCIFLUSH)?;
    loop {
        term.write_str(&format!("{question} [y]es, [N]o, [e]xplain: "))?;
        let choice = loop {
            match choice(&term.read_key_raw()?) {
                Choice::Again => {}
                choice => break choice,
            }
        };
        match choice {
            Choice::Yes => return term.write_line("yes").map(|()| Answer::Yes),
            Choice::Explain => term.write_line(&format!("explain\n{}", explain.trim_end()))?,
            Choice::No | Choice::Again => return term.write_line("no").map(|()| Answer::No),
            Choice::Interrupt => {
                term.write_line("")?;
                return Err(io::ErrorKind::Interrupted.into());
            }
        }
    }
}

fn secret(term: &Term, wanted: &str) -> io::Result<SecretString> {
    let quiet = Quiet::begin()?;
    term.write_str(&format!("{wanted} (not shown): "))?;
    // Read past the buffer of `Stdin`, which would keep a part of the secret.
    let typed = typed(&mut File::from(io::stdin().as_fd().try_clone_to_owned()?));
    drop(quiet);
    term.write_line("")?;
    typed
}

/// Reads what is typed up to Enter, as a line editor would: with backspace and Ctrl-U.
fn typed(from: &mut impl Read) -> io::Result<SecretString> {
    let mut line: Vec<u8> = Vec::with_capacity(4096);
    loop {
        let mut byte = [0];
        from.read_exact(&mut byte)?;
        match byte[0] {
            b'\r' | b'\n' if line.is_empty() => {}
            b'\r' | b'\n' => break,
            0x03 => return Err(io::ErrorKind::Interrupted.into()),
            0x04 => return Err(io::ErrorKind::UnexpectedEof.into()),
            0x08 | 0x7f => {
                // The bytes of one character go together.
                while line.pop().is_some_and(|byte| byte & 0xc0 == 0x80) {}
            }
            0x15 => line.clear(),
            byte if byte < b' ' => {}
            byte => line.push(byte),
        }
    }
    let text = String::from_utf8(line).map_err(|_| io::Error::other("it is not valid UTF-8"))?;
    Ok(text.into())
}

/// The terminal, showing nothing that is typed and taking Ctrl-C for a key, until it is dropped.
struct Quiet {
    stdin: Stdin,
    before: Termios,
}

impl Quiet {
    fn begin() -> io::Result<Self> {
        let stdin = io::stdin();
        let before = tcgetattr(&stdin)?;
        let mut quiet = before.clone();
        quiet.local_flags &= !(LocalFlags::ECHO | LocalFlags::ICANON | LocalFlags::ISIG);
        tcsetattr(&stdin, SetArg::TCSAFLUSH, &quiet)?;
        Ok(Self { stdin, before })
    }
}

impl Drop for Quiet {
    fn drop(&mut self) {
        tcsetattr(&self.stdin, SetArg::TCSADRAIN, &self.before).ok();
    }
}

/// Runs a prompt of dialoguer's, which answers Ctrl-C by a SIGINT to itself: held back and taken
/// here, so that the caller hears of it as an error and ends in its own way.
fn without_sigint<T>(prompt: impl FnOnce() -> io::Result<T>) -> io::Result<T> {
    let sigint = SigSet::from(Signal::SIGINT);
    let before = sigint.thread_swap_mask(nix::sys::signal::SigmaskHow::SIG_BLOCK)?;
    let answer = prompt();
    if matches!(&answer, Err(error) if error.kind() == io::ErrorKind::Interrupted) {
        sigint.wait()?;
    }
    before.thread_set_mask()?;
    answer
}

#[cfg(test)]
mod tests {
    use secrecy::ExposeSecret as _;

    use super::*;

    #[test]
    fn only_the_key_y_is_yes() {
        let cases = [
            (Key::Char('y'), Choice::Yes),
            (Key::Char('Y'), Choice::Yes),
            (Key::Char('e'), Choice::Explain),
            (Key::Char('n'), Choice::No),
            (Key::Enter, Choice::No),
            (Key::Escape, Choice::No),
            (Key::Char('\u{4}'), Choice::No),
            (Key::Unknown, Choice::No),
            (Key::CtrlC, Choice::Interrupt),
            (Key::Char('j'), Choice::Again),
            (Key::ArrowUp, Choice::Again),
        ];
        for (key, expected) in cases {
            assert_eq!(choice(&key), expected, "{key:?}");
        }
    }

    #[test]
    fn a_secret_is_what_was_typed_with_its_corrections() {
        let cases = [
            ("s3cr3t\n", "s3cr3t"),
            ("\r\nafter an empty line\r", "after an empty line"),
            ("s3cx\u{7f}r3t\r", "s3cr3t"),
            ("ö\u{7f}s3cr3t\r", "s3cr3t"),
            ("wrong\u{15}s3cr3t\n", "s3cr3t"),
            ("pass\u{1}wörd\n", "passwörd"),
        ];
        for (keys, expected) in cases {
            let secret = typed(&mut keys.as_bytes()).expect("a secret");
            assert_eq!(secret.expose_secret(), expected);
        }
    }

    #[test]
    fn an_interrupted_or_ended_input_is_never_a_secret() {
        for keys in ["half\u{3}", "half\u{4}", "half", ""] {
            let error = typed(&mut keys.as_bytes()).expect_err("no secret");
            assert!(matches!(no_answer("the key", error), NoAnswer::Interrupted), "{keys:?}");
        }
    }

    #[test]
    fn where_nobody_can_be_asked_the_error_names_what_was_wanted() {
        let error = Never.secret("the S3 secret key").expect_err("nobody is there");
        assert_eq!(
            error.to_string(),
            "the S3 secret key is needed, and nobody can be asked for it here"
        );
        let error = Never.confirm("Install on sin?", "").expect_err("nobody is there");
        assert_eq!(
            error.to_string(),
            "an answer to \"Install on sin?\" is needed, and nobody can be asked for it here"
        );
    }
}
