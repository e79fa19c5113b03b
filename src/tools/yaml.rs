//! YAML as Helm reads files of values: version 1.1 in most respects, where a bare `no` is false and
//! `0440` is 288, and `<<` merges. What other readers make of such words, Helm would not be told.

use std::collections::HashMap;

use anyhow::{Context as _, Result, bail, ensure};
use serde_json::{Map, Number, Value};
use yaml_rust2::parser::{Event, Parser, Tag};
use yaml_rust2::scanner::TScalarStyle;

/// Values are built and dropped recursively; deeper ones would overflow the stack.
const DEEPEST: usize = 128;
/// More than any values have, however often they name their anchors.
const MOST_NODES: usize = 1 << 20;

/// Reads a document; null when there is none.
///
/// # Errors
/// When it is no YAML, Helm would refuse it, or a second one begins: Helm 4 merges the two, Helm 3
/// reads the first alone.
pub fn read(text: &str) -> Result<Value> {
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    let parser = Parser::new_from_str(text);
    let mut reader = Reader { parser, anchors: HashMap::new(), nodes: 0 };
    loop {
        match reader.next()? {
            Event::StreamStart | Event::DocumentStart => {}
            Event::StreamEnd | Event::DocumentEnd => return Ok(Value::Null),
            event => {
                let value = reader.node(event, 0)?.value;
                reader.end()?;
                return Ok(value);
            }
        }
    }
}

struct Reader<'a> {
    parser: Parser<std::str::Chars<'a>>,
    anchors: HashMap<usize, Node>,
    nodes: usize,
}

#[derive(Clone)]
struct Node {
    value: Value,
    /// How many values it is made of.
    size: usize,
    /// Whether it is the bare word `<<`.
    merges: bool,
}

impl Reader<'_> {
    fn next(&mut self) -> Result<Event> {
        Ok(self.parser.next_token()?.0)
    }

    /// Sees that nothing follows.
    fn end(&mut self) -> Result<()> {
        loop {
            match self.next()? {
                Event::DocumentEnd => {}
                Event::StreamEnd => return Ok(()),
                _ => bail!("a second document begins; write one document a file"),
            }
        }
    }

    /// The node that begins with an event.
    fn node(&mut self, event: Event, depth: usize) -> Result<Node> {
        ensure!(depth < DEEPEST, "nested deeper than {DEEPEST} levels");
        let before = self.nodes;
        self.nodes += 1;
        let (value, anchor, merges) = match event {
            Event::Alias(anchor) => {
                let node = self.anchors.get(&anchor).context("an anchor that contains itself")?;
                self.nodes += node.size;
                ensure!(self.nodes < MOST_NODES, "more than {MOST_NODES} values");
                let deepest = depth + height(&node.value);
                ensure!(deepest < DEEPEST, "nested deeper than {DEEPEST} levels");
                return Ok(node.clone());
            }
            Event::Scalar(text, style, anchor, tag) => {
                let plain = style == TScalarStyle::Plain && tag.is_none();
                let merges = plain && text == "<<";
                (scalar(text, style, tag.as_ref())?, anchor, merges)
            }
            Event::SequenceStart(anchor, _) => (self.sequence(depth)?, anchor, false),
            Event::MappingStart(anchor, _) => (self.mapping(depth)?, anchor, false),
            event => bail!("{event:?} where a value was expected"),
        };
        let node = Node { value, size: self.nodes - before, merges };
        if anchor > 0 {
            self.anchors.insert(anchor, node.clone());
        }
        Ok(node)
    }

    fn sequence(&mut self, depth: usize) -> Result<Value> {
        let mut items = Vec::new();
        loop {
            match self.next()? {
                Event::SequenceEnd => return Ok(Value::Array(items)),
                event => items.push(self.node(event, depth + 1)?.value),
            }
        }
    }

    fn mapping(&mut self, depth: usize) -> Result<Value> {
        let mut fields = Map::new();
        loop {
            let event = self.next()?;
            if event == Event::MappingEnd {
                return Ok(Value::Object(fields));
            }
            let key = self.node(event, depth + 1)?;
            let event = self.next()?;
            let value = self.node(event, depth + 1)?.value;
            if key.merges {
                merge(&mut fields, value)?;
            } else {
                fields.insert(name(key.value)?, value);
            }
        }
    }
}

/// How many values lie one in another below this one, at most.
fn height(value: &Value) -> usize {
    let below = match value {
        Value::Array(items) => items.iter().map(height).max(),
        Value::Object(fields) => fields.values().map(height).max(),
        _ => None,
    };
    below.map_or(0, |below| below + 1)
}

/// Puts what stands at `<<` into the mapping: of a list, the first has the last word.
fn merge(fields: &mut Map<String, Value>, value: Value) -> Result<()> {
    match value {
        Value::Object(more) => fields.extend(more),
        Value::Array(all) if all.iter().all(Value::is_object) => {
            for more in all.into_iter().rev() {
                merge(fields, more)?;
            }
        }
        other => bail!("`<<` merges mappings, not {other}"),
    }
    Ok(())
}

/// A key as JSON has it.
fn name(key: Value) -> Result<String> {
    match key {
        Value::String(text) => Ok(text),
        Value::Bool(_) => Ok(key.to_string()),
        Value::Number(number) if number.is_i64() => Ok(number.to_string()),
        #[expect(clippy::cast_possible_truncation, reason = "as Helm names it")]
        Value::Number(number) => match number.as_f64() {
            Some(float) if (1e-4..1e6).contains(&float.abs()) => Ok((float as f32).to_string()),
            _ => bail!("the key {number}; write it in quotes"),
        },
        other => bail!("the key {other}; write a word"),
    }
}

fn scalar(text: String, style: TScalarStyle, tag: Option<&Tag>) -> Result<Value> {
    let (known, suffix) = match tag {
        Some(tag) => (tag.handle == "tag:yaml.org,2002:", tag.suffix.as_str()),
        None => (false, ""),
    };
    if tag.is_none() && style != TScalarStyle::Plain || suffix == "str" || tag.is_some() && !known {
        return Ok(Value::String(text));
    }
    let value = bare(&text)?;
    let fits = match suffix {
        "" => true,
        "int" => value.is_i64() || value.is_u64(),
        "float" => value.is_number(),
        "bool" => value.is_boolean(),
        "null" => value.is_null(),
        _ => bail!("the tag !!{suffix} is not read"),
    };
    ensure!(fits, "{text} is no !!{suffix}");
    Ok(value)
}

/// What a bare word is.
fn bare(word: &str) -> Result<Value> {
    Ok(match word {
        "" | "~" | "null" | "Null" | "NULL" => Value::Null,
        "y" | "Y" | "yes" | "Yes" | "YES" | "true" | "True" | "TRUE" | "on" | "On" | "ON" => {
            true.into()
        }
        "n" | "N" | "no" | "No" | "NO" | "false" | "False" | "FALSE" | "off" | "Off" | "OFF" => {
            false.into()
        }
        _ if matches!(
            word.trim_start_matches(['+', '-']),
            ".inf" | ".Inf" | ".INF" | ".nan" | ".NaN" | ".NAN"
        ) =>
        {
            bail!("{word} is no number of JSON")
        }
        _ => number(word).map_or_else(|| word.into(), Value::Number),
    })
}

fn number(word: &str) -> Option<Number> {
    let plain = match word.chars().next()? {
        '0'..='9' | '+' | '-' => word.replace('_', ""),
        '.' => word.to_owned(),
        _ => return None,
    };
    integer(&plain).or_else(|| {
        let known = |c: char| c.is_ascii_digit() || matches!(c, '.' | 'e' | 'E' | '+' | '-');
        let digits = plain.contains(|c: char| c.is_ascii_digit());
        let float = plain.parse::<f64>().ok().filter(|_| digits && plain.chars().all(known))?;
        Number::from_f64(float)
    })
}

/// Go's integers: their prefixes tell the base, and a leading 0 is octal.
fn integer(word: &str) -> Option<Number> {
    let (sign, digits) = match word.split_at_checked(1)? {
        ("-", digits) => ("-", digits),
        ("+", digits) => ("", digits),
        _ => ("", word),
    };
    let (base, digits) = match digits.as_bytes() {
        [b'0', b'x' | b'X', ..] => (16, &digits[2..]),
        [b'0', b'o' | b'O', ..] => (8, &digits[2..]),
        [b'0', b'b' | b'B', ..] => (2, &digits[2..]),
        [b'0', _, ..] => (8, &digits[1..]),
        _ => (10, digits),
    };
    if digits.starts_with(['+', '-']) {
        return None;
    }
    let signed = i64::from_str_radix(&format!("{sign}{digits}"), base).ok().map(Number::from);
    signed.or_else(|| {
        let unsigned =
            u64::from_str_radix(digits, base).ok().filter(|_| word == digits || base != 10);
        unsigned.filter(|_| !word.starts_with(['+', '-'])).map(Number::from)
    })
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    /// What Helm 3 and 4 were seen to read; `tests/properties` compares with them.
    #[test]
    fn bare_words_are_what_helm_reads() {
        let text = "\
            {a: no, b: 1_000, c: 0x1F, d: .5, e: 1e3, f: 12:30:00, g: ~, h: 0440, i: 0o440, j: +1, \
            k: 1., l: 2026-01-01, m: 0b11, n: \"no\", o: '1', p: !!str 1, q: 08, r: 1e400, s: =}";
        let wanted = json!({
            "a": false, "b": 1000, "c": 31, "d": 0.5, "e": 1e3, "f": "12:30:00", "g": null, "h": 288,
            "i": 288, "j": 1, "k": 1.0, "l": "2026-01-01", "m": 3, "false": "no", "o": "1", "p": "1",
            "q": 8.0, "r": "1e400", "s": "=",
        });
        assert_eq!(read(text).unwrap(), wanted);
    }

    #[test]
    fn anchors_are_values_and_two_less_thans_merge_them() {
        let text = "a: &a {y: 1, b: 2}\nc: {b: 3, <<: *a}\nd: [*a]\ne: {<<: [{b: 4}, *a]}\n";
        let wanted = json!({
            "a": {"true": 1, "b": 2}, "c": {"b": 2, "true": 1}, "d": [{"true": 1, "b": 2}],
            "e": {"true": 1, "b": 4},
        });
        assert_eq!(read(text).unwrap(), wanted);
    }

    #[test]
    fn one_document_is_read_and_nothing_is_null() {
        assert_eq!(read("---\na: 1\n...\n").unwrap(), json!({"a": 1}));
        assert_eq!(read("# nothing\n").unwrap(), Value::Null);
    }

    #[test]
    fn what_helm_refuses_is_refused() {
        let bombs =
            (0..9).map(|n| format!("k{}: &k{} [{}]\n", n + 1, n + 1, format!("*k{n},").repeat(9)));
        let bomb = format!("k0: &k0 [x]\n{}", bombs.collect::<String>());
        let deeper = |n: usize| {
            format!("k{}: &k{} {}*k{n}{}\n", n + 1, n + 1, "[".repeat(100), "]".repeat(100))
        };
        let deep = format!("k0: &k0 x\n{}{}", deeper(0), deeper(1));
        let said = [
            "a: .inf",
            "~: 1",
            "a: !!binary aGk=",
            "<<: 1",
            "a: &a [*a]",
            "a: 1\n---\nb: 2\n",
            &"[".repeat(200),
            &bomb,
            &deep,
        ]
        .map(|text| format!("{:#}", read(text).unwrap_err()));
        insta::assert_snapshot!(said.join("\n"), @"
        .inf is no number of JSON
        the key null; write a word
        the tag !!binary is not read
        `<<` merges mappings, not 1
        an anchor that contains itself
        a second document begins; write one document a file
        nested deeper than 128 levels
        more than 1048576 values
        nested deeper than 128 levels
        ");
    }
}
