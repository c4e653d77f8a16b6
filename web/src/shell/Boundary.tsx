import { Component, type ReactNode } from 'react';
import { TroubleView } from '../parts/TroubleView';

/** Boundary keeps what fails inside from taking the page with it. */
export class Boundary extends Component<{ children: ReactNode }, { error: unknown }> {
  override state = { error: undefined as unknown };

  static getDerivedStateFromError(error: unknown) {
    return { error };
  }

  override render() {
    if (this.state.error === undefined) return this.props.children;
    return <TroubleView error={this.state.error} retry={() => this.setState({ error: undefined })} />;
  }
}
