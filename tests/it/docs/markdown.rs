//! Reading the documents.

use std::{collections::BTreeSet, path::PathBuf};

use heliograph_tests::root;

/// One document.
pub(super) struct Page {
    /// Relative to the repository.
    pub(super) name: String,
    pub(super) text: String,
}

/// A fenced block of a page.
pub(super) struct Block {
    /// Page and line of its first line of content.
    pub(super) at: String,
    pub(super) language: String,
    pub(super) text: String,
}

/// Every document a reader comes across.
pub(super) fn pages() -> Vec<Page> {
    let mut files: Vec<PathBuf> =
        ["README.md", "ARCHITECTURE.md", "CHANGELOG.md"].map(|name| root().join(name)).into();
    let mut folders = vec![root().join("docs")];
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(&folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|extension| extension == "md") {
                files.push(path);
            }
        }
    }
    files.sort();
    let page = |path: PathBuf| Page {
        name: path.strip_prefix(root()).unwrap().display().to_string(),
        text: std::fs::read_to_string(path).unwrap(),
    };
    files.into_iter().map(page).collect()
}

/// The document of this name.
pub(super) fn page(name: &str) -> Page {
    pages().into_iter().find(|page| page.name == name).unwrap()
}

impl Page {
    /// Its fenced blocks.
    pub(super) fn blocks(&self) -> Vec<Block> {
        let mut blocks = Vec::new();
        let mut open: Option<Block> = None;
        for (number, line) in self.text.lines().enumerate() {
            match (&mut open, line.strip_prefix("```")) {
                (None, Some(language)) => {
                    let at = format!("{}:{}", self.name, number + 2);
                    open = Some(Block { at, language: language.trim().to_owned(), text: String::new() });
                }
                (Some(_), Some(_)) => blocks.extend(open.take()),
                (Some(block), None) => {
                    block.text.push_str(line);
                    block.text.push('\n');
                }
                (None, None) => {}
            }
        }
        assert!(open.is_none(), "{} ends within a block", self.name);
        blocks
    }

    /// The text without fenced blocks.
    pub(super) fn prose(&self) -> String {
        let mut inside = false;
        let lines = self.text.lines().filter(|line| {
            let fence = line.starts_with("```");
            inside ^= fence;
            !inside && !fence
        });
        lines.collect::<Vec<_>>().join("\n")
    }

    /// What headings can be linked to as.
    pub(super) fn anchors(&self) -> BTreeSet<String> {
        let headings = self.prose();
        let headings = headings.lines().filter(|line| line.starts_with('#'));
        headings.map(|line| slug(line.trim_start_matches('#').trim())).collect()
    }

    /// Rows of the tables below a heading, up to the next heading of the same or a higher level.
    pub(super) fn tables_below(&self, heading: &str) -> Vec<Vec<String>> {
        let level = heading.chars().take_while(|letter| *letter == '#').count();
        let prose = self.prose();
        let ends = |line: &&str| {
            let depth = line.chars().take_while(|letter| *letter == '#').count();
            !(1..=level).contains(&depth)
        };
        let below = prose.lines().skip_while(|line| *line != heading).skip(1).take_while(ends);
        below.filter(|line| line.starts_with("| ") && !line.starts_with("| ---")).map(cells).collect()
    }
}

/// As GitHub makes anchors of headings.
pub(super) fn slug(heading: &str) -> String {
    let kept = heading.to_lowercase();
    let kept = kept.chars().filter(|letter| letter.is_alphanumeric() || " -_".contains(*letter));
    kept.map(|letter| if letter == ' ' { '-' } else { letter }).collect()
}

/// Cells of a row of a table.
pub(super) fn cells(row: &str) -> Vec<String> {
    let row = row.trim().trim_matches('|').replace("\\|", "\u{1f}");
    row.split('|').map(|cell| cell.trim().replace('\u{1f}', "|")).collect()
}

/// What stands in backticks.
pub(super) fn code(cell: &str) -> Vec<String> {
    cell.split('`').skip(1).step_by(2).map(str::to_owned).collect()
}

/// Every block of a language.
pub(super) fn blocks(language: &str) -> Vec<Block> {
    let blocks = pages().iter().flat_map(Page::blocks).collect::<Vec<_>>();
    blocks.into_iter().filter(|block| block.language == language).collect()
}

/// Targets of `[text](target)`.
pub(super) fn links(prose: &str) -> Vec<String> {
    let ends = prose.split("](").skip(1);
    ends.filter_map(|rest| rest.split_once(')')).map(|(target, _)| target.to_owned()).collect()
}
