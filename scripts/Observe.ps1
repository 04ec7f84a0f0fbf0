# cmcomply: looks at internet endpoints from this host, and says what it saw. It changes nothing, and leaves nothing
# behind. For PowerShell 4.0 and later, on .NET Framework 4.5 and later; no modules.
#
# $Data is a JSON document in Base64: the plan (names, ports, proxies, bounds) and what is asked besides. It is data: it is
# read by the core's own parser, and no part of it is ever run. $Folder is where an answer is written as a file; without
# it, the answer is one line of output.
#
# The core is C# 5. It is compiled here, in memory and in this account's folder for temporary files, by Add-Type. It opens
# the connections that the plan names, and reads the facts of this machine that decide what they can do. It ends by itself
# at the deadline of the plan, also where nobody waits any more.
param([string] $Data, [string] $Folder)

$ErrorActionPreference = 'Stop'
$ProgressPreference = 'SilentlyContinue'

# Not through PowerShell's own output: that breaks lines at the width of a console that may not be there.
function Write-Line([string] $Line) {
    [Console]::Out.WriteLine($Line)
    [Console]::Out.Flush()
}

function Get-Base64([string] $Text) {
    [Convert]::ToBase64String([Text.Encoding]::UTF8.GetBytes($Text))
}

# One word for what was done, and what the system says.
function Write-Failure([string] $Doing, $Problem) {
    $said = '' + $Problem.Exception.Message
    if ($said.Length -gt 2000) { $said = $said.Substring(0, 2000) }
    Write-Line ('CMCOMPLY-FAILED ' + $Doing + ' ' + (Get-Base64 $said) + ' ')
    if ($Folder) { Write-Warning ('it failed while ' + $Doing + ': ' + $said) }
}

# A policy may let scripts run in a constrained language, in which nothing of this works.
$mode = '' + $ExecutionContext.SessionState.LanguageMode
if ($mode -ne 'FullLanguage') {
    'CMCOMPLY-BLOCKED language-mode ' + $mode
    return
}

$core = @'
# <core>
'@

# Runs $Script with $Data as SYSTEM, and gives back the line that it writes. Nothing is written to a disk: the script, its
# data and the answer go over a pipe that only SYSTEM and this account may open. The task has an end of its own, after
# which the system removes it, should this process be killed before it does so itself.
function Invoke-AsSystem([string] $Script, [string] $Data, [int] $Seconds) {
    $name = 'cmcomply-' + [Guid]::NewGuid().ToString('N')
    $rights = New-Object IO.Pipes.PipeSecurity
    foreach ($sid in @('S-1-5-18', [Security.Principal.WindowsIdentity]::GetCurrent().User.Value)) {
        $account = New-Object Security.Principal.SecurityIdentifier $sid
        $rights.AddAccessRule((New-Object IO.Pipes.PipeAccessRule $account, 'FullControl', 'Allow'))
    }
    $pipe = New-Object IO.Pipes.NamedPipeServerStream $name, 'InOut', 1, 'Byte', 'Asynchronous', 65536, 65536, $rights
    $scheduler = New-Object -ComObject 'Schedule.Service'
    $scheduler.Connect()
    $root = $scheduler.GetFolder('\')
    try {
        # Its own text, with nothing but the random name of the pipe put in.
        $inner = @'
$ErrorActionPreference = 'Stop'
$pipe = New-Object IO.Pipes.NamedPipeClientStream '.', 'PIPE-NAME', 'InOut'
$pipe.Connect(30000)
$reader = New-Object IO.StreamReader $pipe
$writer = New-Object IO.StreamWriter $pipe
$text = [Text.Encoding]::UTF8.GetString([Convert]::FromBase64String($reader.ReadLine()))
$data = $reader.ReadLine()
$answer = New-Object IO.StringWriter
[Console]::SetOut($answer)
& ([ScriptBlock]::Create($text)) $data '' | ForEach-Object { $answer.WriteLine('' + $_) }
$writer.WriteLine([Convert]::ToBase64String([Text.Encoding]::UTF8.GetBytes($answer.ToString())))
$writer.Flush()
$pipe.WaitForPipeDrain()
'@
        $inner = $inner.Replace('PIPE-NAME', $name)
        $task = $scheduler.NewTask(0)
        $task.RegistrationInfo.Description = 'cmcomply: one look as SYSTEM; it is removed when that ends'
        $task.Principal.UserId = 'S-1-5-18'
        $task.Principal.LogonType = 5
        $task.Settings.ExecutionTimeLimit = 'PT' + ($Seconds + 60) + 'S'
        $task.Settings.DeleteExpiredTaskAfter = 'PT0S'
        $task.Settings.StopIfGoingOnBatteries = $false
        $task.Settings.DisallowStartIfOnBatteries = $false
        # A task that expires needs a trigger with an end; this one begins after it, so that it never fires.
        $trigger = $task.Triggers.Create(1)
        $end = (Get-Date).AddSeconds($Seconds + 120)
        $trigger.StartBoundary = $end.AddSeconds(-1).ToString('s')
        $trigger.EndBoundary = $end.ToString('s')
        $trigger.Enabled = $false
        $action = $task.Actions.Create(0)
        $action.Path = Join-Path $PSHOME 'powershell.exe'
        $encoded = [Convert]::ToBase64String([Text.Encoding]::Unicode.GetBytes($inner))
        $action.Arguments = '-NoLogo -NoProfile -NonInteractive -EncodedCommand ' + $encoded
        # 6: create or update; 5: as a service account.
        $registered = $root.RegisterTaskDefinition($name, $task, 6, $null, $null, 5)
        $null = $registered.Run($null)

        $waiting = $pipe.BeginWaitForConnection($null, $null)
        if (-not $waiting.AsyncWaitHandle.WaitOne(60000)) { throw 'the task did not start within 60 s' }
        $pipe.EndWaitForConnection($waiting)
        $writer = New-Object IO.StreamWriter $pipe
        $writer.WriteLine((Get-Base64 $Script))
        $writer.WriteLine($Data)
        $writer.Flush()
        $reader = New-Object IO.StreamReader $pipe
        $reading = $reader.ReadLineAsync()
        if (-not $reading.Wait(1000 * ($Seconds + 60))) { throw 'no answer came from the task' }
        if (-not $reading.Result) { throw 'the task ended without an answer' }
        [Text.Encoding]::UTF8.GetString([Convert]::FromBase64String($reading.Result)).Trim()
    } finally {
        try { $root.GetTask($name).Stop(0) } catch { }
        try { $root.DeleteTask($name, 0) } catch { }
        $pipe.Dispose()
    }
}

$doing = 'compiling'
try {
    # Without the switch, a warning of another compiler than ours would be an error.
    Add-Type -TypeDefinition $core -Language CSharp -ReferencedAssemblies 'System', 'System.Core' -IgnoreWarnings
    $doing = 'reading-the-plan'
    $json = [Text.Encoding]::UTF8.GetString([Convert]::FromBase64String($Data))
    $isSystem = [Security.Principal.WindowsIdentity]::GetCurrent().IsSystem
    if ([Cmcomply.Observer]::WantsSystem($json) -and -not $isSystem) {
        $doing = 'running-as-SYSTEM'
        $line = Invoke-AsSystem $MyInvocation.MyCommand.ScriptBlock.ToString() $Data ([Cmcomply.Observer]::Seconds($json))
    } else {
        $doing = 'running-the-plan'
        $line = 'CMCOMPLY-BEGIN ' + (Get-Base64 ([Cmcomply.Observer]::Run($json, '' + $PSVersionTable.PSVersion, $mode))) + ' CMCOMPLY-END'
    }
    if (-not $Folder) {
        Write-Line $line
        return
    }
    $doing = 'writing-the-file'
    if ($line -notmatch '^CMCOMPLY-BEGIN (\S+) CMCOMPLY-END$') { throw $line }
    $file = Join-Path $Folder ('observations-' + $env:COMPUTERNAME + '.json')
    [IO.File]::WriteAllBytes($file, [Convert]::FromBase64String($Matches[1]))
    Write-Output ('written: ' + $file)
} catch {
    Write-Failure $doing $_
}
