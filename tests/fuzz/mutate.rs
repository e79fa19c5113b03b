//! Breaks inputs: as bytes, and as trees where they are JSON or YAML.

use rand::RngExt as _;
use rand::rngs::StdRng;
use serde_json::{Map, Value, json};

/// No input grows beyond it.
const LARGEST: usize = 200_000;

/// Pieces that mean something to one of the readers.
#[rustfmt::skip]
const PIECES: &[&str] = &[
    "\n", "\n  ", "\t", "\r\n", " ", "- ", ": ", ", ", "? ", "{", "}", "[", "]", "\"", "'", "\\",
    "|\n", ">-\n", "#", "---\n", "...\n", "&a ", "*a", "<<: ", "!!str ", "!!binary ", "%YAML 1.1\n",
    "{{", "}}", "~", "null", "no", "0", "-1", "1e999", "0x", "0b", "1_0", ".5",
    "18446744073709551616", "9223372036854775807", "\u{feff}", "\u{2028}", "\0", "é", "\u{1f600}",
    "<Code>", "</Code>", "<Message>", "</Message>", "<Region>", "&amp;", "&#", "ServiceError:",
    "(NotFound)", "level=", "E1123 ", "sha256:", "okemon: ", "9999-12-31T23:59:59Z",
    "-9999-01-01T00:00:00Z", "0d", "300y", "operator.prometheus.io/version: ",
    ".monitoring.coreos.com", "+++ ", "..", "/",
];

/// Breaks inputs at random.
pub(crate) struct Mutator {
    random: StdRng,
}

impl Mutator {
    pub(crate) fn new(random: StdRng) -> Self {
        Self { random }
    }

    fn below(&mut self, end: usize) -> usize {
        self.random.random_range(0..end.max(1))
    }

    fn one_of<'a, T: ?Sized>(&mut self, all: &[&'a T]) -> &'a T {
        let place = self.below(all.len());
        all[place]
    }

    /// One of the corpus, broken a few times.
    pub(crate) fn mutated(&mut self, corpus: &[Vec<u8>]) -> Vec<u8> {
        let place = self.below(corpus.len());
        let mut input = corpus[place].clone();
        if self.below(2) == 0
            && let Ok(mut tree) = serde_yaml::from_slice::<Value>(&input)
        {
            for _ in 0..=self.below(3) {
                self.break_tree(&mut tree);
            }
            input = tree.to_string().into_bytes();
        }
        for _ in 0..self.below(4) {
            let other = self.below(corpus.len());
            self.break_bytes(&mut input, &corpus[other]);
        }
        input.truncate(LARGEST);
        input
    }

    fn break_bytes(&mut self, input: &mut Vec<u8>, other: &[u8]) {
        let at = self.below(input.len() + 1);
        let longest = self.below(64);
        let length = self.below(1 + longest);
        let to = input.len().min(at + length);
        match self.below(8) {
            0 => input.truncate(at),
            1 => drop(input.drain(at..to)),
            2 if at < input.len() => input[at] = self.random.random(),
            3 if at < input.len() => input[at] ^= 1 << self.below(8),
            4 => {
                let piece = self.one_of(PIECES);
                drop(input.splice(at..to.min(at + length % 4), piece.bytes()));
            }
            5 => {
                let times = 1 << self.below(12);
                let chunk = input[at..to].repeat(times);
                drop(input.splice(at..at, chunk));
            }
            6 => {
                let from = self.below(other.len() + 1);
                drop(input.splice(at.., other[from..].iter().copied()));
            }
            _ => {
                let piece = self.one_of(PIECES).repeat(1 << self.below(10));
                drop(input.splice(at..at, piece.bytes()));
            }
        }
    }

    /// Breaks something in a tree, the deeper the rarer.
    fn break_tree(&mut self, tree: &mut Value) {
        let inner = self.below(8) > 0;
        match tree {
            Value::Object(fields) if inner && !fields.is_empty() => {
                let place = self.below(fields.len());
                let key = fields.keys().nth(place).cloned().unwrap_or_default();
                if self.below(12) == 0 {
                    let value = fields.remove(&key).unwrap_or_default();
                    if self.below(2) == 0 {
                        fields.insert(self.one_of(PIECES).to_owned(), value);
                    }
                } else {
                    self.break_tree(&mut fields[&key]);
                }
            }
            Value::Array(items) if inner && !items.is_empty() => {
                let place = self.below(items.len());
                match self.below(12) {
                    0 => drop(items.remove(place)),
                    1 => items.push(items[place].clone()),
                    _ => self.break_tree(&mut items[place]),
                }
            }
            _ => *tree = self.value(tree),
        }
    }

    fn value(&mut self, old: &Value) -> Value {
        match self.below(12) {
            0 => Value::Null,
            1 => json!(true),
            2 => json!(self.random.random::<i64>()),
            3 => json!(self.random.random::<f64>() * 1e300),
            4 => json!({}),
            5 => json!([]),
            6 => json!(""),
            7 => json!([old.clone(), old.clone()]),
            8 => Value::Object(Map::from_iter([(self.one_of(PIECES).to_owned(), old.clone())])),
            9 => json!(self.one_of(PIECES).repeat(1 << self.below(8))),
            10 => json!(old.to_string()),
            _ => json!(self.one_of(PIECES)),
        }
    }
}
