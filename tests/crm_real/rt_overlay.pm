# RT/User_Local.pm: lets RT's REST interface search users by telephone number. Colleagues may then see each other's.
package RT::User;
use strict;
no warnings 'redefine';

my $stock = \&_OverlayAccessible;
*_OverlayAccessible = sub {
    my $fields = $stock->(@_);
    $fields->{$_}{public} = 1 for qw(MobilePhone WorkPhone HomePhone PagerPhone);
    return $fields;
};

1;
