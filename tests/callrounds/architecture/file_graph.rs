//! Which file uses which, as far as paths tell: `use` trees, and paths that begin with `crate`, `super`, `self` or the name
//! of a child module. A name that a file only re-exports counts for the file that defines it.

use std::collections::{BTreeMap, BTreeSet};

/// The files of a crate, by their module paths (`engine::tracker`), and what each of them uses.
pub struct FileGraph {
    uses: BTreeMap<String, BTreeSet<String>>,
}

/// What a file says about one of its names.
enum Export {
    Defined,
    /// Re-exported from this absolute path.
    From(Vec<String>),
}

struct File {
    exports: BTreeMap<String, Export>,
    /// Absolute paths that its code names.
    paths: Vec<Vec<String>>,
}

impl FileGraph {
    /// `code` is the code of each file by its module path, without comments and tests.
    pub fn new(code: &BTreeMap<String, &str>) -> Self {
        let modules: BTreeSet<&str> = code.keys().map(String::as_str).collect();
        let files: BTreeMap<&str, File> =
            code.iter().map(|(module, code)| (module.as_str(), read(module, code, &modules))).collect();
        let uses = files.iter().map(|(module, file)| {
            let used = file.paths.iter().filter_map(|path| definer(path, &files, 0)).filter(|used| used != module);
            ((*module).to_owned(), used.collect())
        });
        Self { uses: uses.collect() }
    }

    /// Groups of files that all use each other, directly or through one another. Files of different top-level modules
    /// cannot form one without a circle among these, which another test forbids.
    pub fn circles(&self) -> Vec<Vec<String>> {
        let reachable: BTreeMap<&str, BTreeSet<&str>> =
            self.uses.keys().map(|module| (module.as_str(), self.reachable(module))).collect();
        let mut circles = BTreeSet::new();
        for (module, reached) in &reachable {
            let circle: Vec<String> = reached
                .iter()
                .filter(|other| reachable[*other].contains(module))
                .map(|other| (*other).to_owned())
                .collect();
            if circle.len() > 1 {
                circles.insert(circle);
            }
        }
        circles.into_iter().collect()
    }

    fn reachable<'g>(&'g self, from: &str) -> BTreeSet<&'g str> {
        let mut reached = BTreeSet::new();
        let mut open = vec![from];
        while let Some(module) = open.pop() {
            let used = self.uses[module].iter().map(String::as_str);
            open.extend(used.filter(|used| reached.insert(*used)).collect::<Vec<_>>());
        }
        reached
    }
}

/// The module of the file that defines what `path` names; `None` for what is no file of the crate.
fn definer(path: &[String], files: &BTreeMap<&str, File>, hops: usize) -> Option<String> {
    let module =
        (1..=path.len()).rev().map(|length| path[..length].join("::")).find(|m| files.contains_key(m.as_str()))?;
    let name = path.get(module.split("::").count());
    match name.and_then(|name| files[module.as_str()].exports.get(name)) {
        Some(Export::From(origin)) if hops < 8 => definer(origin, files, hops + 1).or(Some(module)),
        Some(Export::From(_) | Export::Defined) | None => Some(module),
    }
}

fn read(module: &str, code: &str, modules: &BTreeSet<&str>) -> File {
    let tokens = tokens(code);
    let mut file = File { exports: BTreeMap::new(), paths: Vec::new() };
    let mut at = 0;
    while at < tokens.len() {
        let before = at.checked_sub(1).map_or("", |before| tokens[before]);
        match tokens[at] {
            "use" => {
                let end =
                    tokens[at..].iter().position(|token| *token == ";").map_or(tokens.len(), |length| at + length);
                let mut found = Vec::new();
                use_tree(&tokens[at + 1..end], &mut Vec::new(), &mut found);
                let is_public = before == "pub" || before == ")";
                for path in found.iter().filter_map(|path| absolute(path, module, modules)) {
                    if is_public && let Some(name) = path.last() {
                        file.exports.insert(name.clone(), Export::From(path.clone()));
                    }
                    file.paths.push(path);
                }
                at = end;
            }
            "struct" | "enum" | "trait" | "type" | "fn" | "const" | "static" | "mod" => {
                if let Some(name) = tokens.get(at + 1) {
                    file.exports.entry((*name).to_owned()).or_insert(Export::Defined);
                }
                at += 1;
            }
            token if is_word(token) && before != "::" && tokens.get(at + 1) == Some(&"::") => {
                let mut path = vec![token];
                while tokens.get(at + 1) == Some(&"::") && tokens.get(at + 2).is_some_and(|token| is_word(token)) {
                    path.push(tokens[at + 2]);
                    at += 2;
                }
                file.paths.extend(absolute(&path, module, modules));
                at += 1;
            }
            _ => at += 1,
        }
    }
    file
}

/// Words, `::`, and every other character that is not white space.
fn tokens(code: &str) -> Vec<&str> {
    let mut tokens = Vec::new();
    let mut rest = code.trim_start();
    while let Some(first) = rest.chars().next() {
        let length = if is_part_of_word(first) {
            rest.find(|c| !is_part_of_word(c)).unwrap_or(rest.len())
        } else if rest.starts_with("::") {
            2
        } else {
            first.len_utf8()
        };
        tokens.push(&rest[..length]);
        rest = rest[length..].trim_start();
    }
    tokens
}

fn is_part_of_word(c: char) -> bool {
    c.is_alphanumeric() || c == '_'
}

fn is_word(token: &str) -> bool {
    token.starts_with(is_part_of_word)
}

/// Collects the paths of a `use` tree, `a::{b, c::{self, d}}`.
fn use_tree<'t>(tokens: &[&'t str], prefix: &mut Vec<&'t str>, found: &mut Vec<Vec<&'t str>>) {
    let mut depth = 0;
    let mut start = 0;
    for at in 0..=tokens.len() {
        match tokens.get(at) {
            Some(&"{") => depth += 1,
            Some(&"}") => depth -= 1,
            _ => {}
        }
        if at < tokens.len() && !(depth == 0 && tokens[at] == ",") {
            continue;
        }
        let item = &tokens[start..at];
        start = at + 1;
        let depth_before = prefix.len();
        if let Some(open) = item.iter().position(|token| *token == "{") {
            prefix.extend(item[..open].iter().filter(|token| is_word(token)));
            use_tree(&item[open + 1..item.len() - 1], prefix, found);
        } else if !item.is_empty() {
            prefix.extend(item.iter().take_while(|token| **token != "as").filter(|token| is_word(token)));
            if prefix.len() > 1 && prefix.last() == Some(&"self") {
                prefix.pop();
            }
            found.push(prefix.clone());
        }
        prefix.truncate(depth_before);
    }
}

/// `path`, as `module` says it, from the crate's root; `None` if it does not begin within the crate.
fn absolute(path: &[&str], module: &str, modules: &BTreeSet<&str>) -> Option<Vec<String>> {
    let mut base: Vec<&str> = module.split("::").collect();
    let mut path = path.iter().peekable();
    let first = path.next()?;
    match *first {
        "crate" => base.clear(),
        "self" => {}
        "super" => {
            base.pop();
            while path.next_if(|part| **part == "super").is_some() {
                base.pop();
            }
        }
        child if modules.contains(format!("{module}::{child}").as_str()) => base.push(child),
        _ => return None,
    }
    Some(base.into_iter().chain(path.copied()).map(ToOwned::to_owned).collect())
}
