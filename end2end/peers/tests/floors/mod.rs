//! Which module names which other, read from the text of the sources: every path that begins with `crate`, `self` or
//! `super`, in `use` declarations and elsewhere. A scan and no parser: it skips comments and unit tests, knows no macros
//! and does not see who calls a method that is written in another file. What is allowed is house.rs.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs, io,
    path::Path,
};

/// The module of lib.rs, which has no path of its own.
const ROOT: &str = "lib";

/// The text of each module by its path, such as `mail::inbox`. The mod.rs of a folder is the folder's module.
pub fn read(src: &Path) -> io::Result<BTreeMap<String, String>> {
    let mut modules = BTreeMap::new();
    read_folder(src, "", &mut modules)?;
    Ok(modules)
}

fn read_folder(
    folder: &Path,
    parent: &str,
    modules: &mut BTreeMap<String, String>,
) -> io::Result<()> {
    for entry in fs::read_dir(folder)? {
        let path = entry?.path();
        let name = path.file_stem().unwrap_or_default().to_string_lossy();
        let module = match (parent, name.as_ref()) {
            // A program is a crate of its own: it can only name what the library makes public.
            ("", "bin" | "main") => continue,
            ("", name) => name.to_owned(),
            (parent, "mod") => parent.to_owned(),
            (parent, name) => format!("{parent}::{name}"),
        };
        if path.is_dir() {
            read_folder(&path, &module, modules)?;
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            modules.insert(module, fs::read_to_string(&path)?);
        }
    }
    Ok(())
}

/// Everything that is not as `floors` say, lowest floor first: a module may name modules of lower floors and itself.
/// Because a folder's module can name its parts without `self`, it has to stand above them.
pub fn check(modules: &BTreeMap<String, String>, floors: &[&[&str]]) -> Vec<String> {
    let floor_of = |module: &str| floors.iter().position(|floor| floor.contains(&module));
    let mut problems = Vec::new();
    for (module, text) in modules {
        let Some(floor) = floor_of(module) else {
            problems.push(format!("{module} stands on no floor"));
            continue;
        };
        for named in names(modules, module, text) {
            if floor_of(&named) >= Some(floor) {
                problems.push(format!("{module} names {named}, which is not below it"));
            }
        }
        if let Some((folder, _)) = module.rsplit_once("::")
            && floor_of(folder) <= Some(floor)
        {
            problems.push(format!("{module} is not below its own folder"));
        }
    }
    let gone = floors.iter().copied().flatten();
    problems.extend(
        gone.filter(|module| !modules.contains_key(**module))
            .map(|module| format!("{module} is on a floor, but there is no such file")),
    );
    problems
}

/// The other modules that the text of `module` names.
pub fn names(modules: &BTreeMap<String, String>, module: &str, text: &str) -> BTreeSet<String> {
    let code = code(text);
    let mut paths = Vec::new();
    for start in ["crate::", "self::", "super::"] {
        for (at, _) in code.match_indices(start) {
            let (before, path) = code.split_at(at);
            if !before.ends_with(|last: char| last == ':' || is_of_name(last)) {
                collect(path, "", &mut paths);
            }
        }
    }
    paths
        .iter()
        .map(|path| resolve(modules, module, path))
        .filter(|named| named != module)
        .collect()
}

/// The text without line comments and without the unit tests at its end, which may name what they like.
fn code(text: &str) -> String {
    let tested = text.split("#[cfg(test)]\nmod tests {").next();
    let lines = tested.unwrap_or_default().lines();
    lines
        .map(|line| line.split("//").next().unwrap_or_default())
        .collect::<Vec<_>>()
        .join("\n")
}

fn is_of_name(character: char) -> bool {
    character.is_alphanumeric() || character == '_'
}

/// Collects the paths at the beginning of `text`: one, or those of a group in braces. Answers what follows them.
fn collect<'a>(text: &'a str, prefix: &str, paths: &mut Vec<String>) -> &'a str {
    if let Some(mut group) = text.strip_prefix('{') {
        loop {
            group = group.trim_start_matches(|next: char| next == ',' || next.is_whitespace());
            if group.is_empty() {
                return group;
            }
            if let Some(rest) = group.strip_prefix('}') {
                return rest;
            }
            // What may stand between a path and the next: `*`, or `as` and a name.
            group = collect(group, prefix, paths).trim_start_matches(|next| !",}".contains(next));
        }
    }
    let (name, rest) = text.split_at(text.find(|c| !is_of_name(c)).unwrap_or(text.len()));
    let path = format!("{prefix}{name}");
    if let Some(rest) = rest.strip_prefix("::") {
        return collect(rest, &format!("{path}::"), paths);
    }
    paths.push(path);
    rest
}

/// The module that a path in `module` leads into: the longest part of it that is one.
fn resolve(modules: &BTreeMap<String, String>, module: &str, path: &str) -> String {
    let mut at: Vec<&str> = module.split("::").filter(|name| *name != ROOT).collect();
    for name in path.split("::") {
        match name {
            "crate" => at.clear(),
            "self" => {}
            "super" => drop(at.pop()),
            name => at.push(name),
        }
    }
    while !at.is_empty() {
        let named = at.join("::");
        if modules.contains_key(&named) {
            return named;
        }
        at.pop();
    }
    ROOT.to_owned()
}
