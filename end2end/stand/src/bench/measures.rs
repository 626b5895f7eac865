//! The measures, in the order of `make bench`.

use std::path::Path;
use std::time::{Duration, Instant};

use stand::http::{Ask, ask};
use stand::program::{Log, Program};
use stand::say;

use super::load::{Load, line, memory};
use super::{Bench, Measure, feed};
use crate::crew::Crew;

const EVENTS: usize = 200_000;
const ACCOUNTS: u64 = 200;
const READY: Duration = Duration::from_secs(30);
/// How often it is looked for the first page: what is measured is not much more.
const LOOK_CLOSELY: Duration = Duration::from_millis(5);

impl Bench<'_> {
    pub fn measure(&self, crew: &mut Crew, measure: Measure) -> anyhow::Result<()> {
        match measure {
            Measure::Pages => self.pages(crew),
            Measure::Feed => self.feed(),
            Measure::Replay => self.replay(),
            Measure::Usage => self.usage(crew),
            Measure::Start => self.start(crew),
            Measure::Sizes => self.sizes(),
        }
    }

    fn pages(&self, crew: &mut Crew) -> anyhow::Result<()> {
        let cores = std::thread::available_parallelism().map_or(1, usize::from);
        say::heading(&format!(
            "Pages (wrk on the same machine takes its share of the {cores} cores)"
        ));
        self.start_dashboard(crew, &["serve"])?;
        anyhow::ensure!(
            self.get("/overview")?.0 == 200,
            "The overview page does not show."
        );
        // Twenty people, each of whom waits 100 ms on average before the next request: 200 requests/s, or a little less. A
        // fixed wait would keep the twenty in step, as one herd.
        let paced = self.work.join("paced.lua");
        std::fs::write(&paced, "function delay() return math.random(0, 200) end\n")?;
        self.load(&Load {
            name: "overview, signed in, up to 200 requests/s",
            path: "/overview",
            connections: 20,
            signed_in: true,
            pace: Some(&paced),
        })?;
        self.load(&Load {
            name: "/readyz at the same pace: what this machine adds to anything",
            path: "/readyz",
            connections: 20,
            signed_in: false,
            pace: Some(&paced),
        })?;
        self.load(&Load {
            name: "overview, signed in, as fast as it goes (16 connections)",
            path: "/overview",
            connections: 16,
            signed_in: true,
            pace: None,
        })?;
        self.load(&Load {
            name: "landing page, nobody signed in, as fast as it goes",
            path: "/",
            connections: 16,
            signed_in: false,
            pace: None,
        })?;
        self.load(&Load {
            name: "/readyz: the same server with one query and no page",
            path: "/readyz",
            connections: 16,
            signed_in: false,
            pace: None,
        })?;
        line("memory of serve after that", &memory(crew.last_id()))?;
        crew.stop_last();
        self.bare_handler(crew, &paced)
    }

    fn bare_handler(&self, crew: &mut Crew, paced: &Path) -> anyhow::Result<()> {
        say::heading("Beside it: a bare axum handler that runs the same queries");
        let program = Program::new(
            "The bare handler",
            self.places.programs.join("bench"),
            &self.environment,
        );
        let program = program
            .arguments(["bare"])
            .log(Log::File(self.places.logs.join("bare.log")));
        let url = self.environment.text("PUBLIC_ORIGIN") + "/overview";
        crew.start(program, READY, || ask(&url, Ask::default()).is_ok())?;
        self.load(&Load {
            name: "bare handler, up to 200 requests/s",
            path: "/overview",
            connections: 20,
            signed_in: true,
            pace: Some(paced),
        })?;
        self.load(&Load {
            name: "bare handler, as fast as it goes (16 connections)",
            path: "/overview",
            connections: 16,
            signed_in: true,
            pace: None,
        })?;
        crew.stop_last();
        Ok(())
    }

    fn feed(&self) -> anyhow::Result<()> {
        say::heading("Feed to posted ledger, fsync on");
        let accounts = format!("accounts={ACCOUNTS}");
        self.psql(
            &self.environment,
            &["-1", "-v", &accounts, "-f", "server/bench/accounts.sql"],
        )?;
        let events = feed::fill(&self.environment.text("ORCHESTRATOR_URL"), EVENTS, ACCOUNTS)?;
        say::say(format!(
            "{events} events of {ACCOUNTS} accounts are in the feed"
        ));
        line(
            "200,000 events of 200 accounts, half of them of four",
            &self.program(&self.environment, "feed")?,
        )
    }

    fn replay(&self) -> anyhow::Result<()> {
        say::heading("Everything folded, rated and booked again, fsync on");
        let name = format!("{}_replay", self.database);
        let other = self
            .environment
            .clone()
            .with("DATABASE_URL", &self.postgres.fresh(&name)?);
        let measured = self.replay_of(&other);
        self.postgres.drop_database(&name)?;
        measured
    }

    fn replay_of(&self, other: &stand::environment::Environment) -> anyhow::Result<()> {
        self.migrate(other)?;
        let size = [
            "-v",
            "accounts=10000",
            "-v",
            "each=20",
            "-1",
            "-f",
            "server/bench/replay.sql",
        ];
        self.psql(other, &size)?;
        self.psql(other, &["-c", "ANALYZE"])?;
        say::say("400000 events of 10000 accounts are stored");
        line(
            "a month of 10,000 accounts, 400,000 events",
            &self.program(other, "replay")?,
        )?;
        self.psql(
            other,
            &[
                "-c",
                "UPDATE meters SET settled_seq = 0, settled_until = NULL",
            ],
        )?;
        line(
            "the same again, when nothing differs",
            &self.program(other, "replay")?,
        )
    }

    /// Without the worker: the intervals have no events, and the checks would say so ten million times.
    fn usage(&self, crew: &mut Crew) -> anyhow::Result<()> {
        let intervals = self
            .environment
            .get("USAGE_INTERVALS")
            .unwrap_or_else(|| "10000000".to_owned());
        say::heading(&format!(
            "Usage page of an account with {intervals} intervals"
        ));
        let account = self.psql(
            &self.environment,
            &["-c", "SELECT account_id FROM memberships"],
        )?;
        let (account, many) = (
            format!("account={account}"),
            format!("intervals={intervals}"),
        );
        self.psql(
            &self.environment,
            &["-v", &account, "-v", &many, "-f", "server/bench/usage.sql"],
        )?;
        self.start_dashboard(crew, &["serve", "--web-only"])?;
        let shown = self.get("/usage.json?range=30d&group=image")?.1;
        anyhow::ensure!(
            shown.contains("image:5"),
            "The page does not show the intervals."
        );
        for (name, path, connections) in [
            ("usage page, 24 hours (1 connection)", "/usage", 1),
            (
                "usage page, 30 days by key (1 connection)",
                "/usage?range=30d&group=key",
                1,
            ),
            (
                "usage page, 30 days by key (4 connections)",
                "/usage?range=30d&group=key",
                4,
            ),
            (
                "usage page, 30 days by image (4 connections)",
                "/usage?range=30d&group=image",
                4,
            ),
            (
                "usage page, 30 days of another zone by key (1 connection)",
                "/usage?range=30d&group=key&zone=Asia/Kolkata",
                1,
            ),
            (
                "usage page, 30 days of another zone by key (4 connections)",
                "/usage?range=30d&group=key&zone=Asia/Kolkata",
                4,
            ),
            ("overview page of it (4 connections)", "/overview", 4),
        ] {
            self.load(&Load {
                name,
                path,
                connections,
                signed_in: true,
                pace: None,
            })?;
        }
        line("memory of serve after that", &memory(crew.last_id()))?;
        crew.stop_last();
        Ok(())
    }

    fn start(&self, crew: &mut Crew) -> anyhow::Result<()> {
        say::heading("Start");
        let began = Instant::now();
        crew.launch(self.places.dashboard(&self.environment, &["serve"]))?;
        crew.wait(READY, LOOK_CLOSELY, || {
            self.get("/overview").is_ok_and(|(status, _)| status == 200)
        })?;
        line(
            "start of serve to the first signed-in page",
            &format!("{} ms", began.elapsed().as_millis()),
        )?;
        let url = self.environment.text("PUBLIC_ORIGIN") + "/overview";
        let headers = [("Cookie", self.cookie.as_str()), ("Accept-Encoding", "br")];
        let page = ask(
            &url,
            Ask {
                headers: &headers,
                ..Ask::default()
            },
        )?;
        line("overview page, html", &format!("{} bytes", page.bytes))?;
        crew.stop_last();
        Ok(())
    }

    fn sizes(&self) -> anyhow::Result<()> {
        say::heading("Sizes, brotli");
        let pkg = self.root.join("target/site/pkg");
        for kind in ["wasm", "js", "css"] {
            let ending = format!(".{kind}.br");
            let mut bytes = 0;
            for file in std::fs::read_dir(&pkg)? {
                let file = file?;
                if file.file_name().to_string_lossy().ends_with(&ending) {
                    bytes += file.metadata()?.len();
                }
            }
            line(kind, &format!("{bytes} bytes"))?;
        }
        let program = self
            .places
            .programs
            .join("isorun-dashboard")
            .metadata()?
            .len();
        let name = "isorun-dashboard, debug information included";
        line(name, &format!("{program} bytes"))
    }

    /// A page of somebody who is signed in.
    fn get(&self, path: &str) -> anyhow::Result<(u16, String)> {
        let url = self.environment.text("PUBLIC_ORIGIN") + path;
        let headers = [("Cookie", self.cookie.as_str())];
        let patience = Some(Duration::from_secs(30));
        let answer = ask(
            &url,
            Ask {
                headers: &headers,
                patience,
                ..Ask::default()
            },
        )?;
        Ok((answer.status, answer.body))
    }
}
