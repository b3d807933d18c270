//! Which file names items of which other file. It reads paths only: `use` trees, and paths that begin with `crate`, `super`,
//! `self`, a child module or an imported name. A name that a file re-exports counts for the file that defines it. Method
//! calls name no file.

use std::collections::{BTreeMap, BTreeSet};

/// The files of a crate, by their module paths (`engine::tracker`), and the files that each of them uses.
pub struct FileGraph {
    uses: BTreeMap<String, BTreeSet<String>>,
}

/// How a file has a name.
enum Export {
    Defined,
    /// Re-exported from this absolute path.
    From(Vec<String>),
}

#[derive(Default)]
struct File {
    exports: BTreeMap<String, Export>,
    /// Absolute paths that its code names.
    paths: Vec<Vec<String>>,
}

/// One import of a `use` tree.
struct Import<'t> {
    path: Vec<&'t str>,
    /// The name that the file has for it; `None` for a glob import.
    name: Option<&'t str>,
}

/// The absolute paths of a file's imports, by the file's names for them. Functions may import different items by one name.
type Imports<'t> = BTreeMap<&'t str, Vec<Vec<String>>>;

impl FileGraph {
    /// `code` is the code of each file by its module path, without tests.
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

    /// Each file with each file that it uses.
    pub fn uses(&self) -> impl Iterator<Item = (&str, &str)> {
        self.uses.iter().flat_map(|(file, used)| used.iter().map(|used| (file.as_str(), used.as_str())))
    }

    /// Groups of files that all use each other, directly or through other files. A circle through several top-level modules
    /// needs a circle of these modules, which another test forbids.
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

/// The module of the file that defines the item at `path`; `None` for an item of another crate.
fn definer(path: &[String], files: &BTreeMap<&str, File>, hops: usize) -> Option<String> {
    let module =
        (1..=path.len()).rev().map(|length| path[..length].join("::")).find(|m| files.contains_key(m.as_str()))?;
    let length = module.split("::").count();
    let name = path.get(length);
    match name.and_then(|name| files[module.as_str()].exports.get(name)) {
        Some(Export::From(origin)) if hops < 8 => {
            let origin: Vec<String> = origin.iter().chain(&path[length + 1..]).cloned().collect();
            definer(&origin, files, hops + 1).or(Some(module))
        }
        Some(Export::From(_) | Export::Defined) | None => Some(module),
    }
}

fn read(module: &str, code: &str, modules: &BTreeSet<&str>) -> File {
    let tokens = tokens(code);
    let mut file = File::default();
    let mut uses: Vec<(Import, bool)> = Vec::new();
    // Paths outside `use` trees.
    let mut paths: Vec<Vec<&str>> = Vec::new();
    let mut at = 0;
    while at < tokens.len() {
        let before = at.checked_sub(1).map_or("", |before| tokens[before]);
        match tokens[at] {
            // Not the `use<'a>` of an `impl` type.
            "use"
                if ["", ";", "{", "}", "]", "pub", ")"].contains(&before)
                    && tokens.get(at + 1).is_some_and(|next| *next != "<") =>
            {
                let end =
                    tokens[at..].iter().position(|token| *token == ";").map_or(tokens.len(), |length| at + length);
                let mut found = Vec::new();
                use_tree(&tokens[at + 1..end], &mut Vec::new(), &mut found);
                let is_public = before == "pub" || before == ")";
                uses.extend(found.into_iter().map(|import| (import, is_public)));
                at = end;
            }
            "struct" | "enum" | "trait" | "type" | "fn" | "const" | "static" | "mod" => {
                if let Some(name) = tokens.get(at + 1) {
                    file.exports.entry((*name).to_owned()).or_insert(Export::Defined);
                }
                at += 1;
            }
            token if is_word(token) && before != "::" && tokens.get(at + 1) == Some(&"::") => {
                let start = at;
                let mut path = vec![token];
                while tokens.get(at + 1) == Some(&"::") && tokens.get(at + 2).is_some_and(|token| is_word(token)) {
                    path.push(tokens[at + 2]);
                    at += 2;
                }
                // The path of a visibility, `pub(in path)`, names no item.
                if before != "in" || start < 2 || tokens[start - 2] != "(" {
                    paths.push(path);
                }
                at += 1;
            }
            _ => at += 1,
        }
    }

    let mut imports = Imports::new();
    // A `use` may begin with the name of another one, in any order.
    for _ in 0..2 {
        for (import, _) in &uses {
            for path in absolute(&import.path, module, modules, &imports) {
                let known = imports.entry(import.name.unwrap_or_default()).or_default();
                if !known.contains(&path) {
                    known.push(path);
                }
            }
        }
    }
    for (import, is_public) in &uses {
        for path in absolute(&import.path, module, modules, &imports) {
            // The names that a glob import brings are in no `use` tree.
            let name = import.name.unwrap_or_else(|| panic!("{module}: name what `{}::*` imports", path.join("::")));
            if *is_public {
                file.exports.insert(name.to_owned(), Export::From(path.clone()));
            }
            file.paths.push(path);
        }
    }
    file.paths.extend(paths.iter().flat_map(|path| absolute(path, module, modules, &imports)));
    file
}

/// Words, `::`, and every other character that is not white space. A comment has no token, and a string or a character has
/// one, its first quote.
fn tokens(code: &str) -> Vec<&str> {
    let mut tokens = Vec::new();
    let mut rest = code.trim_start();
    while let Some(first) = rest.chars().next() {
        let (token, length) = if let Some(length) = comment(rest) {
            (None, length)
        } else if let Some((prefix, length)) = literal(rest) {
            (Some(&rest[prefix..=prefix]), length)
        } else {
            let length = if is_part_of_word(first) {
                rest.find(|c| !is_part_of_word(c)).unwrap_or(rest.len())
            } else if rest.starts_with("::") {
                2
            } else {
                first.len_utf8()
            };
            (Some(&rest[..length]), length)
        };
        tokens.extend(token);
        rest = rest[length..].trim_start();
    }
    tokens
}

/// The length of the comment that `code` begins with.
fn comment(code: &str) -> Option<usize> {
    if code.starts_with("//") {
        return Some(code.find('\n').unwrap_or(code.len()));
    }
    let (mut depth, mut at) = (0, 0);
    while at < code.len() && (depth > 0 || at == 0) {
        if code[at..].starts_with("/*") {
            (depth, at) = (depth + 1, at + 2);
        } else if depth > 0 && code[at..].starts_with("*/") {
            (depth, at) = (depth - 1, at + 2);
        } else if depth > 0 {
            at += code[at..].chars().next().map_or(1, char::len_utf8);
        } else {
            return None;
        }
    }
    Some(at)
}

/// Where the first quote of the string or character is that `code` begins with, and the literal's length.
fn literal(code: &str) -> Option<(usize, usize)> {
    let prefix = ["br", "cr", "r", "b", "c", ""].into_iter().find(|prefix| {
        code.strip_prefix(prefix).is_some_and(|rest| {
            let is_raw = prefix.ends_with('r');
            rest.starts_with('"')
                || (is_raw && rest.starts_with('#') && rest.trim_start_matches('#').starts_with('"'))
                || (!is_raw && rest.starts_with('\''))
        })
    })?;
    let rest = &code[prefix.len()..];
    if prefix.ends_with('r') {
        let hashes = rest.len() - rest.trim_start_matches('#').len();
        let end = format!("\"{}", "#".repeat(hashes));
        let start = prefix.len() + hashes + 1;
        return code[start..].find(&end).map(|length| (prefix.len() + hashes, start + length + end.len()));
    }
    let quote = rest.chars().next()?;
    // A lifetime has one quote.
    if quote == '\'' && !rest[1..].starts_with('\\') && rest.chars().nth(2) != Some('\'') {
        return None;
    }
    let mut is_escaped = false;
    let end = rest[1..].find(|c: char| {
        let is_end = c == quote && !is_escaped;
        is_escaped = c == '\\' && !is_escaped;
        is_end
    })?;
    Some((prefix.len(), prefix.len() + end + 2))
}

fn is_part_of_word(c: char) -> bool {
    c.is_alphanumeric() || c == '_'
}

fn is_word(token: &str) -> bool {
    token.starts_with(is_part_of_word)
}

/// Collects the imports of a `use` tree, `a::{b, c::{self, d as e}}`.
fn use_tree<'t>(tokens: &[&'t str], prefix: &mut Vec<&'t str>, found: &mut Vec<Import<'t>>) {
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
            let renamed = item.iter().position(|token| *token == "as").map(|at| item[at + 1]);
            prefix.extend(item.iter().take_while(|token| **token != "as").filter(|token| is_word(token)));
            if prefix.len() > 1 && prefix.last() == Some(&"self") {
                prefix.pop();
            }
            let is_glob = item.last() == Some(&"*");
            let name = renamed.or(prefix.last().copied()).filter(|_| !is_glob);
            found.push(Import { path: prefix.clone(), name });
        }
        prefix.truncate(depth_before);
    }
}

/// `path`, as `module` has it, from the crate's root: more than one path if an import is ambiguous, none if it begins in
/// another crate.
fn absolute(path: &[&str], module: &str, modules: &BTreeSet<&str>, imports: &Imports<'_>) -> Vec<Vec<String>> {
    let mut base: Vec<&str> = module.split("::").collect();
    let mut path = path.iter().peekable();
    let Some(first) = path.next() else { return Vec::new() };
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
        imported => {
            let rest: Vec<String> = path.map(|part| (*part).to_owned()).collect();
            let origins = imports.get(imported).map(Vec::as_slice).unwrap_or_default();
            return origins.iter().map(|origin| origin.iter().chain(&rest).cloned().collect()).collect();
        }
    }
    vec![base.into_iter().chain(path.copied()).map(ToOwned::to_owned).collect()]
}
