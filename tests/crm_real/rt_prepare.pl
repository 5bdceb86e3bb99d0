# What hotline needs of a Request Tracker 5, as docs/rt.md tells an administrator to set it up; run by rt_lab.py.
use strict; use warnings; use utf8;
use RT; BEGIN { RT->LoadConfig; RT->Init; }
my ($folder) = @ARGV;
my $system = RT->SystemUser;

sub user {
    my ($name) = @_;
    my $user = RT::User->new($system);
    $user->Load($name);
    unless ($user->id) {
        my ($ok, $said) = $user->Create(Name => $name, Privileged => 1);
        die "$name: $said" unless $ok;
    }
    return $user;
}

sub field {
    my ($name, $kind, $for) = @_;
    my $field = RT::CustomField->new($system);
    $field->LoadByCols(Name => $name, LookupType => $kind);
    unless ($field->id) {
        my ($ok, $said) = $field->Create(Name => $name, Type => 'FreeformSingle', LookupType => $kind, MaxValues => 1);
        die "$name: $said" unless $ok;
    }
    $field->AddToObject($for) unless $field->IsGlobal || $field->IsAdded($for->id);
}

sub token {
    my ($user) = @_;
    my $token = RT::AuthToken->new($system);
    my ($ok, $said, $secret) = $token->Create(Owner => $user->id, Description => 'lab');
    die "token: $said" unless $ok;
    open my $file, '>', "$folder/" . $user->Name . '.tok' or die $!;
    print $file $secret;
    close $file;
}

my $queue = RT::Queue->new($system);
$queue->Load('客服工单');
$queue->Create(Name => '客服工单') unless $queue->id;
field('CallID', 'RT::Queue-RT::Ticket', $queue);
field('结案', 'RT::Queue-RT::Ticket', $queue);
field('CallID', 'RT::Queue-RT::Ticket-RT::Transaction', $queue);
field('客户等级', 'RT::User', RT::User->new($system));

my ($hotline, $bare) = (user('hotline'), user('bare'));
for my $right (qw(AdminUsers SeeCustomField)) {
    $hotline->PrincipalObj->GrantRight(Right => $right, Object => $RT::System)
        unless $hotline->PrincipalObj->HasRight(Right => $right, Object => $RT::System);
}
for my $right (qw(SeeQueue ShowTicket ShowTicketComments CreateTicket ModifyTicket CommentOnTicket ModifyCustomField)) {
    $hotline->PrincipalObj->GrantRight(Right => $right, Object => $queue)
        unless $hotline->PrincipalObj->HasRight(Right => $right, Object => $queue);
}
token($_) for $hotline, $bare;
