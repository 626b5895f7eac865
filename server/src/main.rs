//! The program `isorun-dashboard`. What its subcommands do is in `commands`.

fn main() -> std::process::ExitCode {
    server::commands::run(std::env::args_os())
}
