//! The pages of the documentation, and what is in them.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

/// A Markdown file of the repository.
pub(crate) struct Page {
    pub(crate) path: PathBuf,
    pub(crate) text: String,
}

/// A fenced block.
pub(crate) struct Block {
    /// What the comment on the line above says.
    pub(crate) mark: String,
    pub(crate) language: String,
    pub(crate) text: String,
    /// Where `text` stands in the page.
    pub(crate) at: std::ops::Range<usize>,
}

impl Page {
    pub(crate) fn name(&self) -> String {
        self.path.strip_prefix(root()).unwrap().display().to_string()
    }

    pub(crate) fn blocks(&self) -> Vec<Block> {
        let (mut blocks, mut above, mut open, mut at) = (Vec::new(), "", None, 0);
        for line in self.text.split_inclusive('\n') {
            let fence = line.trim().strip_prefix("```");
            match (fence, &mut open) {
                (Some(language), None) => {
                    let mark = above.trim().strip_prefix("<!-- ").unwrap_or_default();
                    let mark = mark.strip_suffix(" -->").unwrap_or_default().to_owned();
                    open = Some((mark, language.to_owned(), at + line.len()));
                }
                (Some(_), Some((mark, language, from))) => {
                    let (mark, language) = (mark.clone(), language.clone());
                    let text = self.text[*from..at].to_owned();
                    blocks.push(Block { mark, language, text, at: *from..at });
                    open = None;
                }
                _ => {}
            }
            above = line;
            at += line.len();
        }
        assert!(open.is_none(), "{}: a block is not closed", self.name());
        blocks
    }

    /// The page without its blocks.
    pub(crate) fn prose(&self) -> String {
        let mut text = self.text.clone();
        for block in self.blocks().iter().rev() {
            text.replace_range(block.at.clone(), "");
        }
        let lines = text.split_inclusive('\n');
        lines.filter(|line| !line.trim().starts_with("```")).collect()
    }

    /// What stands between backquotes in its prose.
    pub(crate) fn spans(&self) -> Vec<String> {
        let prose = self.prose();
        let paragraphs = prose.split("\n\n");
        let spans = paragraphs.flat_map(|text| text.split('`').skip(1).step_by(2));
        spans.map(|span| span.split_whitespace().collect::<Vec<_>>().join(" ")).collect()
    }

    /// Nothing is old, or it is written anew when that is asked for.
    pub(crate) fn settle(mut self, anew: Vec<(std::ops::Range<usize>, String)>) {
        for (at, text) in anew.into_iter().rev() {
            let name = self.name();
            if std::env::var_os("OKEMON_BLESS").is_none() {
                let hint = "`OKEMON_BLESS=1 cargo test --test docs` writes it anew";
                panic!("{name} is old; {hint}:\n{}\nis now:\n{text}", &self.text[at]);
            }
            assert!(!self.text[at.clone()].contains("...\n"), "{name}: mend this by hand:\n{text}");
            self.text.replace_range(at, &text);
            fs::write(&self.path, &self.text).unwrap();
        }
    }
}

impl Block {
    /// Whether it is an `okemon.yaml`.
    pub(crate) fn is_configuration(&self) -> bool {
        self.language == "yaml" && self.text.lines().any(|line| line == "version: 1")
    }
}

/// The targets of links and pictures that are files of the repository.
pub(crate) fn links(text: &str) -> Vec<String> {
    let targets = text.split("](").skip(1).filter_map(|rest| Some(rest.split_once(')')?.0));
    targets.filter(|target| !target.contains("://")).map(str::to_owned).collect()
}

/// What the headings of a page are linked by, as GitHub spells it.
pub(crate) fn anchors(text: &str) -> BTreeSet<String> {
    let headings = text.lines().filter_map(|line| line.trim_start_matches('#').strip_prefix(' '));
    let anchor = |heading: &str| -> String {
        let kept = heading.chars().filter(|c| c.is_alphanumeric() || " -_".contains(*c));
        kept.collect::<String>().to_lowercase().replace(' ', "-")
    };
    headings.map(anchor).collect()
}

pub(crate) fn pages() -> Vec<Page> {
    let mut pages = Vec::new();
    let mut folders = vec![root().to_path_buf()];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()) {
            let name = entry.file_name().unwrap().to_string_lossy().into_owned();
            if entry.is_dir() && !name.starts_with('.') && name != "target" {
                folders.push(entry);
            } else if entry.extension().is_some_and(|kind| kind == "md") {
                let text = fs::read_to_string(&entry).unwrap();
                pages.push(Page { path: entry, text });
            }
        }
    }
    pages.sort_by(|a, b| a.path.cmp(&b.path));
    pages
}

pub(crate) fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}
