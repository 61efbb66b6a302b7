# The one build entry on Windows; build.sh is its twin. Usage: ./build.ps1 [test|run|publish|lab|bench|swarm|COMMAND] [options]
#requires -Version 7
$ErrorActionPreference = 'Stop'
Set-Location $PSScriptRoot
$env:DOTNET_CLI_TELEMETRY_OPTOUT = 1
$env:DOTNET_NOLOGO = 1

$usage = @'
Usage: ./build.ps1 COMMAND [options]
  run [--once]                        build and start headquarters, two offices and three agents; --once ends when all have synced
  test                                run every test
  publish                             leave runnable programs in artifacts/{headquarters,office,agent,fleet}/
  bench --target NAME|all             measure
  swarm ...                           load a headquarters with simulated offices and devices; --help says how
  restore | build | format            the single steps
'@

function Stop-Build([string] $why, [int] $code) {
    [Console]::Error.WriteLine("build.ps1: $why")
    exit $code
}

$command, $rest = $args
if (-not $command -or $command -in 'help', '--help', '-h') { $usage; exit 0 }
if ($command -notin 'run', 'lab', 'bench', 'swarm', 'test', 'publish', 'restore', 'build', 'format') { Stop-Build "'$command' is no command.`n$usage" 2 }

if (-not (Get-Command git -ErrorAction SilentlyContinue)) { Stop-Build 'git is missing: install it from https://git-scm.com.' 1 }
if (-not (Get-Command dotnet -ErrorAction SilentlyContinue)) {
    Stop-Build "the .NET 10 SDK is missing: install it from https://dotnet.microsoft.com/download/dotnet/10.0 and put 'dotnet' on the PATH." 1
}
if (-not (dotnet --list-sdks | Select-String '^10\.')) { Stop-Build "the .NET 10 SDK is missing: 'dotnet' is there, but without a 10.0 SDK." 1 }

dotnet tool restore --verbosity quiet | Out-Null
if ($LASTEXITCODE) { Stop-Build 'dotnet tool restore failed: see above.' 1 }

# The programs of the lab do not run under Cake, so that Ctrl-C reaches them first and they can clean up.
$program = @{ run = 'natlab', 'demo'; lab = 'natlab', 'lab'; bench = 'bench', $null; swarm = 'swarm', $null }[$command]
$target = @{ run = 'Lab'; lab = 'Lab'; bench = 'Bench'; swarm = 'Swarm' }[$command] ?? $command
if (-not $program -and $rest) { Stop-Build "'$command' takes no options." 2 }
dotnet cake build.cake --verbosity=normal --target=$target
if ($LASTEXITCODE) { exit $LASTEXITCODE }
if ($program) { & "artifacts/$($program[0])/$($program[0])" @($program[1] | Where-Object { $_ }) @rest }
exit $LASTEXITCODE
