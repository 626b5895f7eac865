//! `stand sbom`: which packages are in what is shipped, as CycloneDX JSON: everything that the program and the code for browsers are
//! made of, what runs while they are built included, with licence and checksum. From `cargo metadata` and Cargo.lock; asks nobody else.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::io::Write as _;
use std::path::Path;
use std::process::{Command, ExitCode};

use anyhow::Context as _;
use serde_json::{Value, json};

/// What is shipped: a package of the workspace, and the platform it is built for; none is this one.
const SHIPPED: [(&str, Option<&str>); 2] = [
    ("server", None),
    ("frontend", Some("wasm32-unknown-unknown")),
];

/// Prints the list.
pub fn run(root: &Path) -> anyhow::Result<ExitCode> {
    let mut out = std::io::stdout().lock();
    serde_json::to_writer_pretty(&mut out, &document(root)?)?;
    writeln!(out)?;
    Ok(ExitCode::SUCCESS)
}

fn document(root: &Path) -> anyhow::Result<Value> {
    let lock = std::fs::read_to_string(root.join("Cargo.lock"))?;
    let (checksums, host) = (checksums(&lock), host(root)?);
    let mut components = BTreeMap::new();
    let mut needs: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    for (name, platform) in SHIPPED {
        let metadata = metadata(root, platform.unwrap_or(&host))?;
        for (package, needed) in reached(&metadata, name)? {
            let reference = reference(package);
            needs
                .entry(reference.clone())
                .or_default()
                .extend(needed.into_iter().map(self::reference));
            components.insert(reference, component(package, &checksums));
        }
    }
    let dependencies = needs
        .iter()
        .map(|(reference, needs)| json!({ "ref": reference, "dependsOn": needs }));
    Ok(json!({
        "bomFormat": "CycloneDX",
        "specVersion": "1.5",
        "version": 1,
        "metadata": { "component": {
            "type": "application",
            "bom-ref": "isorun-dashboard",
            "name": "isorun-dashboard",
            "version": env!("CARGO_PKG_VERSION"),
        } },
        "components": components.into_values().collect::<Vec<_>>(),
        "dependencies": dependencies.collect::<Vec<_>>(),
    }))
}

/// The platform that programs are built for here.
fn host(root: &Path) -> anyhow::Result<String> {
    let text = output(root, "rustc", &["-vV"])?;
    let line = text.lines().find_map(|line| line.strip_prefix("host: "));
    Ok(line.context("rustc names no host")?.to_owned())
}

fn metadata(root: &Path, platform: &str) -> anyhow::Result<Value> {
    let words = [
        "metadata",
        "--format-version",
        "1",
        "--locked",
        "--filter-platform",
        platform,
    ];
    Ok(serde_json::from_str(&output(root, "cargo", &words)?)?)
}

fn output(root: &Path, program: &str, words: &[&str]) -> anyhow::Result<String> {
    let output = Command::new(program).args(words).current_dir(root).output();
    let output = output.with_context(|| format!("{program} cannot be started"))?;
    anyhow::ensure!(
        output.status.success(),
        "{program} {}: {}",
        words.join(" "),
        String::from_utf8_lossy(&output.stderr)
    );
    Ok(String::from_utf8(output.stdout)?)
}

/// A package of the workspace and all that it is made of, each with what it needs itself. What only its tests need is left out.
fn reached<'a>(
    metadata: &'a Value,
    name: &str,
) -> anyhow::Result<Vec<(&'a Value, Vec<&'a Value>)>> {
    let by_id = |list: &'a Value| -> HashMap<&'a str, &'a Value> {
        let entries = list.as_array().into_iter().flatten();
        entries
            .filter_map(|entry| Some((entry["id"].as_str()?, entry)))
            .collect()
    };
    let (packages, nodes) = (
        by_id(&metadata["packages"]),
        by_id(&metadata["resolve"]["nodes"]),
    );
    let members = metadata["workspace_members"]
        .as_array()
        .into_iter()
        .flatten();
    let mut members = members.filter_map(Value::as_str);
    let first = members
        .find(|id| {
            packages
                .get(id)
                .is_some_and(|package| package["name"] == name)
        })
        .with_context(|| format!("{name} is no package of the workspace"))?;
    let mut found = Vec::new();
    let (mut seen, mut to_see) = (BTreeSet::from([first]), vec![first]);
    while let Some(id) = to_see.pop() {
        let package = *packages
            .get(id)
            .context("a package that is not described")?;
        let node = nodes.get(id).context("a package that is not resolved")?;
        let needed: Vec<&str> = node["deps"]
            .as_array()
            .into_iter()
            .flatten()
            .filter(|dep| is_shipped(dep))
            .filter_map(|dep| dep["pkg"].as_str())
            .collect();
        to_see.extend(needed.iter().filter(|id| seen.insert(id)));
        let needed = needed.iter().filter_map(|id| packages.get(id).copied());
        found.push((package, needed.collect()));
    }
    Ok(found)
}

/// Whether something is needed to build or to run, and not for tests alone.
fn is_shipped(dependency: &Value) -> bool {
    let kinds = dependency["dep_kinds"].as_array().into_iter().flatten();
    kinds.into_iter().any(|kind| kind["kind"] != "dev")
}

/// A package URL, by which scanners know a package.
fn reference(package: &Value) -> String {
    let of = |field: &str| package[field].as_str().unwrap_or_default().to_owned();
    format!("pkg:cargo/{}@{}", of("name"), of("version"))
}

fn component(package: &Value, checksums: &BTreeMap<(String, String), String>) -> Value {
    let of = |field: &str| package[field].as_str().unwrap_or_default().to_owned();
    let reference = reference(package);
    let mut component = json!({
        "type": "library",
        "bom-ref": reference,
        "purl": reference,
        "name": of("name"),
        "version": of("version"),
        // Some packages still write the "or" between licences as they did before there was a word for it.
        "licenses": [{ "expression": of("license").replace('/', " OR ") }],
    });
    if let Some(checksum) = checksums.get(&(of("name"), of("version"))) {
        component["hashes"] = json!([{ "alg": "SHA-256", "content": checksum }]);
    }
    component
}

/// The checksums in Cargo.lock, by name and version; packages of the workspace have none.
fn checksums(lock: &str) -> BTreeMap<(String, String), String> {
    let field = |package: &str, name: &str| {
        let rest = package.split(&format!("\n{name} = \"")).nth(1)?;
        Some(rest.split('"').next()?.to_owned())
    };
    let packages = lock.split("[[package]]");
    let each = packages.filter_map(|package| {
        let name = (field(package, "name")?, field(package, "version")?);
        Some((name, field(package, "checksum")?))
    });
    each.collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn root() -> std::path::PathBuf {
        Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
    }

    /// What cargo itself would build for a package: an answer from elsewhere than the list.
    fn tree(name: &str, platform: &str) -> BTreeSet<String> {
        let words = [
            "tree",
            "--locked",
            "-p",
            name,
            "-e",
            "normal,build",
            "--target",
            platform,
            "--prefix",
            "none",
            "-f",
            "{p}",
        ];
        let text = output(&root(), "cargo", &words).unwrap();
        let lines = text.lines().filter_map(|line| {
            let mut words = line.split(' ');
            let (name, version) = (words.next()?, words.next()?.strip_prefix('v')?);
            Some(format!("pkg:cargo/{name}@{version}"))
        });
        lines.collect()
    }

    #[test]
    fn every_package_that_reaches_what_is_shipped_is_on_the_list() {
        let document = document(&root()).unwrap();
        let components = document["components"].as_array().unwrap();
        let listed: BTreeSet<&str> = components
            .iter()
            .map(|one| one["purl"].as_str().unwrap())
            .collect();
        let host = host(&root()).unwrap();
        for (name, platform) in SHIPPED {
            let built = tree(name, platform.unwrap_or(&host));
            assert!(built.len() > 50, "{name}: {}", built.len());
            for package in &built {
                assert!(
                    listed.contains(package.as_str()),
                    "{package} of {name} is not on the list"
                );
            }
        }
        for tool in [
            "proptest",
            "jsonschema",
            "mailin",
            "peers",
            "stand",
            "bench",
        ] {
            let prefix = format!("pkg:cargo/{tool}@");
            assert!(
                !listed.iter().any(|purl| purl.starts_with(&prefix)),
                "{tool} is not shipped"
            );
        }
        for one in components {
            let is_ours = ["app", "backend", "domain", "frontend", "server"]
                .iter()
                .any(|name| one["name"] == *name);
            assert_eq!(one["hashes"].is_null(), is_ours, "{one}");
            assert_ne!(one["licenses"][0]["expression"], "", "{one}");
        }
        let references: BTreeSet<&str> = document["dependencies"]
            .as_array()
            .unwrap()
            .iter()
            .map(|one| one["ref"].as_str().unwrap())
            .collect();
        assert_eq!(references, listed, "each says what it needs");
    }

    #[test]
    fn what_only_tests_need_is_not_followed() {
        let needs = |id: &str, kind: Value| json!({ "pkg": id, "dep_kinds": [{ "kind": kind }] });
        let package = |name: &str| json!({ "id": name, "name": name, "version": "1.0.0" });
        let packages = ["a", "b", "c", "d"].map(package);
        let metadata = json!({
            "packages": packages,
            "workspace_members": ["a"],
            "resolve": { "nodes": [
                { "id": "a", "deps": [needs("b", Value::Null), needs("c", json!("dev"))] },
                { "id": "b", "deps": [needs("d", json!("build"))] },
                { "id": "c", "deps": [] },
                { "id": "d", "deps": [] },
            ] },
        });
        let found = reached(&metadata, "a").unwrap();
        let names: BTreeSet<_> = found
            .iter()
            .map(|(package, _)| package["name"].as_str().unwrap())
            .collect();
        assert_eq!(names, BTreeSet::from(["a", "b", "d"]));
        assert!(reached(&metadata, "x").is_err());
    }
}
